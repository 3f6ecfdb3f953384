import { setImmediate } from "node:timers/promises";

/** Lets others have their turn: work on many files does not keep a program from all else. */
export async function pauseNow(): Promise<void> {
  await setImmediate();
}
