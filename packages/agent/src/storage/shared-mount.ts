import { setTimeout as delay } from "node:timers/promises";
import type { grpc } from "@kata-ts/agent-protocol";
import { LinuxError, mount } from "@kata-ts/linux";
import { PLUGGED_DEADLINE_MS } from "../guest/plugged.ts";
import { parseMountOptions } from "./mount-options.ts";

/** Until a device is probed the kernel knows no such tag: virtio-fs says EINVAL, 9p ENOENT. */
const NOT_YET: ReadonlySet<string> = new Set(["EINVAL", "ENOENT", "ENODEV"]);
const POLL_MS = 5;

interface Attempts {
  readonly attempt?: typeof mount;
  readonly deadlineMs?: number;
}

/**
 * Mounts a tree of the host's, waiting for its device, which may be plugged in at this moment.
 *
 * @throws Error that names the tag where the device does not appear; LinuxError where it cannot be mounted
 */
export async function mountShared(
  { source, fstype, options }: grpc.Storage.$Properties,
  mountPoint: string,
  { attempt = mount, deadlineMs = PLUGGED_DEADLINE_MS }: Attempts = {},
): Promise<void> {
  const { flags, data } = parseMountOptions(options ?? []);
  const tag = source ?? "";
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    try {
      attempt(tag, mountPoint, fstype ?? "", flags, data);
      return;
    } catch (error) {
      if (!(error instanceof LinuxError && NOT_YET.has(error.errno))) throw error;
      if (performance.now() > giveUpAt) throw notThere(tag, deadlineMs, error);
    }
    await delay(POLL_MS);
  }
}

function notThere(tag: string, deadlineMs: number, cause: LinuxError): Error {
  const waited = `${String(deadlineMs / 1000)} s`;
  return new Error(`no tree "${tag}" of the host's can be mounted after ${waited}: ${cause.message}`, { cause });
}
