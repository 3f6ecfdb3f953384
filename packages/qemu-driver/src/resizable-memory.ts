import { setTimeout as delay } from "node:timers/promises";
import { QemuError } from "./errors.ts";
import { memoryBackendOf } from "./memory-backend.ts";
import { option } from "./option.ts";
import type { QmpClient } from "./qmp/client.ts";
import type { VmConfig } from "./vm-config.ts";

/** Kernels add memory in blocks of this size. */
const BLOCK_MIB = 128;
const MIB = 1024 ** 2;
const DEVICE = "resizable";

/** Far more than an emulated guest needs for one more block. */
const DEADLINE_MS = 30_000;
const LOOK_MS = 20;

/**
 * The device whose memory grows and shrinks: as large as the machine may become, and empty at first. What the guest does
 * not have of it is not allocated on the host.
 */
export function resizableMemory({ memory, memoryMiB, maxMemoryMiB = memoryMiB }: VmConfig): string[] {
  const most = Math.trunc((maxMemoryMiB - memoryMiB) / BLOCK_MIB) * BLOCK_MIB;
  if (memory?.resizable !== true || most === 0) return [];
  const { type, properties } = memoryBackendOf(memory);
  return [
    ...["-object", option(type, { id: "growth", size: `${String(most)}M`, ...properties })],
    ...["-device", option("virtio-mem-pci", { id: DEVICE, memdev: "growth", "requested-size": 0, romfile: "" })],
  ];
}

/** What `query-memory-devices` lists: the device of virtio-mem, modules, an image in memory. */
export interface MemoryDevice {
  readonly type: string;
  readonly data: { readonly size: number; readonly "requested-size"?: number; readonly "max-size"?: number };
}

/** The device that resizableMemory gave a machine. */
interface Resizable {
  readonly requested: number;
  readonly size: number;
  readonly most: number;
}

export function resizableOf(devices: readonly MemoryDevice[]): Resizable | undefined {
  const found = devices.find(({ type }) => type === "virtio-mem");
  if (found === undefined) return undefined;
  const { size, "requested-size": requested = 0, "max-size": most = size } = found.data;
  return { requested, size, most };
}

/**
 * Asks the guest to have this much more memory than at boot, or as much as the machine can have, and waits as long as it
 * goes on taking it. Less than it has is for shrinkMemory to ask for.
 *
 * @returns MiB that it has taken; @throws QemuError when it takes less
 */
export async function growResizable(
  qmp: QmpClient,
  before: Resizable,
  wantedMiB: number,
  deadlineMs: number = DEADLINE_MS,
): Promise<number> {
  const wanted = Math.min(blocks(wantedMiB), before.most);
  if (wanted <= before.requested) return 0;
  await request(qmp, wanted);
  // Its event comes once a second at most, and not at all of a guest that refuses.
  let giveUpAt = performance.now() + deadlineMs;
  for (let { size } = before; size < wanted; ) {
    if (performance.now() > giveUpAt) throw notTaken(size, wanted);
    await delay(LOOK_MS);
    const now = (await look(qmp))?.size ?? 0;
    if (now > size) giveUpAt = performance.now() + deadlineMs;
    size = now;
  }
  return (wanted - before.requested) / MIB;
}

/**
 * Asks the guest to give back what it has beyond this much more than at boot, where its memory is resizable. It does so
 * while it goes on, as far as it can free whole blocks; what it gives is the host's at once.
 */
export async function shrinkMemory(qmp: QmpClient, wantedMiB: number): Promise<void> {
  const wanted = blocks(wantedMiB);
  const device = await look(qmp);
  if (device !== undefined && wanted < device.requested) await request(qmp, wanted);
}

async function look(qmp: QmpClient): Promise<Resizable | undefined> {
  return resizableOf((await qmp.execute("query-memory-devices")) as readonly MemoryDevice[]);
}

/** In bytes. */
function blocks(sizeMiB: number): number {
  return Math.ceil(sizeMiB / BLOCK_MIB) * BLOCK_MIB * MIB;
}

async function request(qmp: QmpClient, size: number): Promise<void> {
  const property = { path: `/machine/peripheral/${DEVICE}`, property: "requested-size" };
  await qmp.execute("qom-set", { ...property, value: size });
}

function notTaken(size: number, wanted: number): QemuError {
  return new QemuError(
    "KATA_QMP_TIMEOUT",
    `the guest has taken ${String(size / MIB)} of ${String(wanted / MIB)} MiB of memory that can be taken away again: its kernel needs CONFIG_VIRTIO_MEM, or enable_virtio_mem = false`,
  );
}
