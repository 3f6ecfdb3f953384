import { closeSync } from "node:fs";
import { connectUnix } from "@kata-ts/linux";
import type { QmpClient } from "./qmp/client.ts";

/** Where a plugged device went. */
export interface PluggedVirtioFs {
  readonly id: string;
}

/** Plugs a virtio-fs device into a free root port of a running machine. */
export async function plugVirtioFs(
  qmp: QmpClient,
  device: { readonly id: string; readonly socket: string; readonly tag: string; readonly rootPort: string },
): Promise<PluggedVirtioFs> {
  await connectFor(qmp, device);
  await qmp.execute("device_add", {
    driver: "vhost-user-fs-pci",
    event_idx: false, // the guest notifies virtiofsd of every request: docs/adr/0018-memory-barriers.md
    id: device.id,
    chardev: `${device.id}-char`,
    tag: device.tag,
    bus: device.rootPort,
  });
  return { id: device.id };
}

/** QEMU does not see the socket's path: it is given a connection. */
async function connectFor(
  qmp: QmpClient,
  { id, socket }: { readonly id: string; readonly socket: string },
): Promise<void> {
  const fdname = `${id}-socket`;
  const descriptor = connectUnix(socket);
  try {
    await qmp.execute("getfd", { fdname }, { descriptor });
  } finally {
    closeSync(descriptor);
  }
  const backend = { type: "socket", data: { addr: { type: "fd", data: { str: fdname } }, server: false } };
  await qmp.execute("chardev-add", { id: `${id}-char`, backend });
}
