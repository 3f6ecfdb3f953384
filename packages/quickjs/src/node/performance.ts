import { monotonicTime } from "kata:native";

const started = monotonicTime();

export const performance = {
  now: (): number => monotonicTime() - started,
};

export default { performance };
