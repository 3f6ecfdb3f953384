import { constants } from "node:os";
import { makeRaw, setModes, signalProcess, unblockSignal } from "@kata-ts/linux";
import type { Shim } from "@kata-ts/virtcontainers";
import { terminalOfOurs } from "./terminal-options.ts";

const FORWARDED = [
  ...(["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT"] as const),
];

/**
 * Waits for a process in the foreground, passing our signals on to its shim. While a process with a terminal runs, ours
 * passes every key on as it is: the guest's own terminal does the echo and the lines.
 *
 * @returns its exit status
 */
export async function waitInForeground(shim: Shim, terminal: boolean): Promise<number> {
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      signalProcess(shim.identity, signal);
    });
  }
  unblockSignal(constants.signals.SIGUSR1);
  const screen = terminal ? terminalOfOurs() : undefined;
  if (screen === undefined) return shim.exited;
  const modes = makeRaw(screen);
  try {
    return await shim.exited;
  } finally {
    restore(screen, modes);
  }
}

/** A terminal that has gone away has no modes any more. */
function restore(screen: number, modes: ReturnType<typeof makeRaw>): void {
  try {
    setModes(screen, modes);
  } catch {
    return;
  }
}
