import { monotonicTime } from "kata:native";

const started = monotonicTime();

export const performance = {
  /** When now() was 0, in milliseconds since 1970. */
  // eslint-disable-next-line no-restricted-properties -- this is where the one clock meets the other
  timeOrigin: Date.now(),
  now: (): number => monotonicTime() - started,
};

export default { performance };
