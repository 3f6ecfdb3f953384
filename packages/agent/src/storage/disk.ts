import { once } from "node:events";
import type { grpc } from "@kata-ts/agent-protocol";
import { mountDevice, openKernelEvents } from "@kata-ts/linux";
import { deviceAtPath } from "../guest/pci-path.ts";
import { parseMountOptions } from "./mount-options.ts";

/** How long a hot-plugged disk may take to appear. */
const DEADLINE_MS = 10_000;

/** Mounts the file system of a disk, which is found by where it is plugged in, waiting for it. Kata's driver `blk`. */
export async function mountDisk(storage: grpc.Storage.$Properties, mountPoint: string): Promise<void> {
  const { flags, data } = parseMountOptions(storage.options ?? []);
  const name = await waitForDisk(storage.source ?? "");
  await mountDevice(`/dev/${name}`, mountPoint, storage.fstype ?? "", flags, data);
}

/** @returns the name of the disk that is plugged in there, such as `vdb`, once it has appeared */
export async function waitForDisk(pciPath: string): Promise<string> {
  const events = openKernelEvents("devices");
  const signal = AbortSignal.timeout(DEADLINE_MS);
  try {
    for (;;) {
      const name = deviceAtPath(pciPath, "block");
      if (name !== undefined) return name;
      await once(events, "data", { signal });
    }
  } catch (error) {
    throw signal.aborted ? new Error(`no disk has appeared at PCI path ${pciPath}`) : error;
  } finally {
    events.destroy();
  }
}
