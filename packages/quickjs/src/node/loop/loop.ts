import { isPolling, poll } from "./poll.ts";
import { drain, invoke } from "./ticks.ts";
import { hasImmediates, isTiming, runImmediates, runTimers, untilNextTimer } from "./timers.ts";

let closing: (() => void)[] = [];

/** At the end of this turn: what tells that something has closed. */
export function afterTurn(callback: () => void): void {
  closing.push(callback);
}

/** Runs until nothing is left to wait for. */
export function runLoop(): void {
  drain();
  while (isAlive()) {
    runTimers();
    poll(timeToWait());
    runImmediates();
    const ended = closing;
    closing = [];
    for (const callback of ended) invoke(callback);
  }
}

function isAlive(): boolean {
  return isTiming() || isPolling() || closing.length > 0;
}

function timeToWait(): number {
  if (hasImmediates() || closing.length > 0 || !isAlive()) return 0;
  return untilNextTimer();
}
