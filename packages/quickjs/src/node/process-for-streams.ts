import { nextTick } from "./loop/ticks.ts";

/** What readable-stream wants of `process`; the whole of that has streams itself. It asks for variables in its own tests only. */
export default { nextTick, env: {}, stdout: undefined, stderr: undefined };
