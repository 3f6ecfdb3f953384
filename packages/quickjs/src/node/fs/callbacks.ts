import { setImmediate } from "../loop/timers.ts";
import { closeSync, readSync } from "./files.ts";
import { fstatSync } from "./stats.ts";
import { readFileSync, writeFileSync } from "./whole-files.ts";

type WithCallback = (...args: readonly unknown[]) => void;

/**
 * Calls back at the end of a turn; the work is done in place, as with all files here. A program that works through many files
 * leaves others their turn so, as where it waits for each.
 */
function calledBack(body: (...args: never[]) => unknown): WithCallback {
  return (...args) => {
    const done = args.at(-1) as (error: Error | null, value?: unknown) => void;
    try {
      setImmediate(done, null, body(...(args.slice(0, -1) as never[])));
    } catch (error) {
      setImmediate(done, error as Error);
    }
  };
}

export const close: WithCallback = calledBack(closeSync);
export const fstat: WithCallback = calledBack(fstatSync);
export const read: WithCallback = calledBack(readSync);
export const readFile: WithCallback = calledBack(readFileSync);
export const writeFile: WithCallback = calledBack(writeFileSync);
