import { MEMORY_DEADLINE_MS } from "./memory-deadline.ts";
import type { QmpCallOptions, QmpClient } from "./qmp/client.ts";
import { isNotThere, type UnplugOptions, unplugDevice } from "./unplug.ts";

/** A network card to plug in, with the host's end of it: either queues of a tap, or a whole PCI device. */
export interface Nic {
  /** Names device and backend; unique in the machine. */
  readonly id: string;
  /** A free port, such as `rp1`. */
  readonly rootPort: string;
  readonly backend: TapBackend | VfioBackend;
}

export interface TapBackend {
  readonly kind: "tap";
  readonly mac: string;
  /** Open queues; QEMU gets copies. */
  readonly queues: readonly number[];
  /** As many descriptors of /dev/vhost-net: the host's kernel then moves the frames. */
  readonly vhost?: readonly number[];
}

export interface VfioBackend {
  readonly kind: "vfio";
  /** Such as `0000:01:00.0`. */
  readonly pciAddress: string;
}

/** Plugs a card into a running machine. On failure nothing of it is left. @throws QemuError */
export async function plugNic(qmp: QmpClient, nic: Nic, options: QmpCallOptions = {}): Promise<void> {
  const { id, rootPort, backend } = nic;
  if (backend.kind === "vfio") {
    const card = { driver: "vfio-pci", id, host: backend.pciAddress, bus: rootPort };
    await qmp.execute("device_add", card, { deadlineMs: MEMORY_DEADLINE_MS, ...options });
    return;
  }
  const fds = await passAll(qmp, `${id}-fd`, backend.queues, options);
  const vhostfds = await passAll(qmp, `${id}-vhostfd`, backend.vhost ?? [], options);
  const vhost = backend.vhost === undefined ? { vhost: false } : { vhost: true, vhostfds };
  const netdev = `${id}-net`;
  await qmp.execute("netdev_add", { type: "tap", id: netdev, fds, ...vhost }, options);
  const queues = backend.queues.length;
  // A vector for each queue's two directions, one for the configuration and one for control.
  const multiQueue = queues > 1 ? { mq: true, vectors: 2 * queues + 2 } : {};
  const card = { driver: "virtio-net-pci", id, netdev, mac: backend.mac, bus: rootPort, romfile: "", ...multiQueue };
  try {
    await qmp.execute("device_add", card, options);
  } catch (error) {
    await qmp.execute("netdev_del", { id: netdev }, options);
    throw error;
  }
}

/** Takes a card out, which may be out already: resolves when the guest has let go of it. @throws QemuError KATA_QMP_TIMEOUT when it does not */
export async function unplugNic(qmp: QmpClient, { id }: Pick<Nic, "id">, options: UnplugOptions = {}): Promise<void> {
  await unplugDevice(qmp, id, options).catch((error: unknown) => {
    if (!isNotThere(error)) throw error;
  });
  // A whole PCI device has no backend.
  await qmp.execute("netdev_del", { id: `${id}-net` }).catch(() => undefined);
}

/** Hands descriptors over by name; QEMU takes a list of names with colons between. */
async function passAll(
  qmp: QmpClient,
  prefix: string,
  descriptors: readonly number[],
  options: QmpCallOptions,
): Promise<string> {
  const names = descriptors.map((_, index) => `${prefix}${String(index)}`);
  for (const [index, fd] of descriptors.entries()) {
    await qmp.execute("getfd", { fdname: names[index] }, { ...options, descriptor: fd });
  }
  return names.join(":");
}
