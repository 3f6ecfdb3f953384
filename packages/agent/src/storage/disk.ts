import { once } from "node:events";
import type { grpc } from "@kata-ts/agent-protocol";
import { mountDevice, openKernelEvents } from "@kata-ts/linux";
import { findDisk } from "./find-disk.ts";
import { parseMountOptions } from "./mount-options.ts";

/** How long a hot-plugged disk may take to appear. */
const DEADLINE_MS = 10_000;

/** Mounts the file system of a disk, which is found by where the host has put it, waiting for it. */
export async function mountDisk(storage: grpc.Storage.$Properties, mountPoint: string): Promise<void> {
  const { flags, data } = parseMountOptions(storage.options ?? []);
  const name = await waitForDisk(storage.driver ?? "", storage.source ?? "");
  await mountDevice(`/dev/${name}`, mountPoint, storage.fstype ?? "", flags, data);
}

/** @returns the name of the disk that is there, such as `vdb`, once it has appeared */
export async function waitForDisk(kind: string, where: string): Promise<string> {
  const events = openKernelEvents("devices");
  const signal = AbortSignal.timeout(DEADLINE_MS);
  try {
    for (;;) {
      const name = findDisk(kind, where);
      if (name !== undefined) return name;
      await once(events, "data", { signal });
    }
  } catch (error) {
    throw signal.aborted ? new Error(`no disk of the kind ${kind} has appeared at ${where}`) : error;
  } finally {
    events.destroy();
  }
}
