import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { call } from "./native.ts";

/**
 * Gives back to the host what this process holds without need: garbage of V8's that it would leave until it wants the
 * room, and pages that malloc keeps. For a program that has nothing to do for long: it takes some 30 ms.
 */
export function releaseMemory(): void {
  // As an option of the command line it would make Node compile its own modules anew at each start.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as NodeJS.GCFunction;
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
  call("int malloc_trim(size_t keep)", "0", 0);
}
