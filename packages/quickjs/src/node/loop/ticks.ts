import { runJobs } from "kata:native";
import { reportUncaught } from "./uncaught.ts";

let queue: (() => void)[] = [];
/** What is looked at once all jobs have run: rejections that have no handler then. */
let afterJobs: (() => void) | undefined;

/** process.nextTick: before any promise's job, and after what runs now. */
export function nextTick<Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args): void {
  queue.push(() => {
    callback(...args);
  });
}

export function queueMicrotask(callback: () => void): void {
  void Promise.resolve().then(() => {
    attempt(callback);
  });
}

export function setAfterJobs(look: () => void): void {
  afterJobs = look;
}

/** Runs a callback from outside, and then all that it has left to be done. */
export function invoke(callback: () => void): void {
  attempt(callback);
  drain();
}

/** First the ticks, then the jobs, until both are empty. */
export function drain(): void {
  do {
    for (let ticks = queue; ticks.length > 0; ticks = queue) {
      queue = [];
      for (const tick of ticks) attempt(tick);
    }
    runJobs();
    if (queue.length === 0) afterJobs?.();
  } while (queue.length > 0);
}

function attempt(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    reportUncaught(error);
  }
}
