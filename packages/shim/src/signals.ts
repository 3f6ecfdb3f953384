import { constants } from "node:os";
import { onRealTimeSignals, unblockSignal } from "@kata-ts/linux";

/** Not ours to pass on: not catchable, about our own children and pipes, or raised by a fault of our own code. */
const OWN: ReadonlySet<string> = new Set([
  "SIGKILL",
  "SIGSTOP",
  "SIGCHLD",
  "SIGPIPE",
  "SIGSEGV",
  "SIGBUS",
  "SIGFPE",
  "SIGILL",
  "SIGABRT",
  "SIGIOT",
  "SIGPROF",
]);

/**
 * Catches every signal that can be caught, from now on, and hands its number on. As process 1 of a pid namespace the shim
 * would otherwise ignore them all.
 */
export function catchSignals(onSignal: (signal: number) => void): void {
  onRealTimeSignals(onSignal);
  const seen: Set<number> = new Set();
  for (const [name, number] of Object.entries(constants.signals)) {
    if (OWN.has(name) || seen.has(number)) continue;
    seen.add(number);
    process.on(name as NodeJS.Signals, () => {
      onSignal(number);
    });
  }
  unblockSignal(constants.signals.SIGUSR1);
}
