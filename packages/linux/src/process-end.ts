import { once } from "node:events";
import { LinuxError, syscall } from "./native.ts";
import { openPollable } from "./pollable.ts";
import { isAlive, type ProcessIdentity } from "./processes.ts";

/**
 * Resolves once that very process has ended, which need not be a child of this one: at once where it is gone already.
 *
 * @throws the signal's reason
 */
export async function processEnd(identity: ProcessIdentity, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const fd = openProcess(identity.pid);
  if (fd === undefined) return;
  // A read of it fails, and the kernel calls for one when the process has ended: that is the stream's error.
  const end = openPollable(fd, { readable: true, writable: false });
  end.on("error", () => undefined).resume();
  try {
    // Another one may have had its number by then.
    if (isAlive(identity)) await once(end, "error", { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    end.destroy();
  }
}

/** Undefined where there is none. */
function openProcess(pid: number): number | undefined {
  try {
    return syscall("pidfd_open", "int pid, unsigned int flags", String(pid), pid, 0);
  } catch (error) {
    if (error instanceof LinuxError && error.errno === "ESRCH") return undefined;
    throw error;
  }
}
