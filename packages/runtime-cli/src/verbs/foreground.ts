import { constants } from "node:os";
import { signalProcess, unblockSignal } from "@kata-ts/linux";
import type { Shim } from "@kata-ts/virtcontainers";

const FORWARDED = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT"] as const;

/** Waits for a process in the foreground, passing our signals on to its shim. @returns its exit status */
export async function waitInForeground(shim: Shim): Promise<number> {
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      signalProcess(shim.identity, signal);
    });
  }
  unblockSignal(constants.signals.SIGUSR1);
  return shim.exited;
}
