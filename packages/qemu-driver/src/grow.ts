import { memoryBackendOf } from "./memory-backend.ts";
import { MEMORY_DEADLINE_MS } from "./memory-deadline.ts";
import type { QmpClient } from "./qmp/client.ts";
import { growResizable, type MemoryDevice, resizableOf } from "./resizable-memory.ts";
import type { MemoryTuning } from "./vm-tuning.ts";

/** Kernels add memory in blocks of this size. */
const BLOCK_MIB = 128;

interface HotpluggableCpu {
  readonly type: string;
  readonly props: Readonly<Record<string, number>>;
  /** Absent while the place is free. */
  readonly "qom-path"?: string;
}

/**
 * Plugs in processors until the machine has as many as wanted, or no place is left. Not for TCG: QEMU 7.2 aborts when
 * the buffer of translated code is full at that moment; a machine of qemuArgv has them there from the start, asleep.
 *
 * @returns how many it plugged in
 */
export async function growVcpus(qmp: QmpClient, wanted: number): Promise<number> {
  const places = (await qmp.execute("query-hotpluggable-cpus")) as readonly HotpluggableCpu[];
  const free = places.filter((place) => place["qom-path"] === undefined);
  const missing = Math.max(0, wanted - (places.length - free.length));
  // QEMU lists the last place first; the guest numbers them from the first.
  const taken = free.reverse().slice(0, missing);
  for (const { type, props } of taken) {
    const id = `cpu-${Object.values(props).join("-")}`;
    await qmp.execute("device_add", { driver: type, id, ...props });
  }
  return taken.length;
}

/**
 * Plugs in one memory module with what the machine lacks of this much more than at boot. The guest's kernel finds it some
 * milliseconds later, or when it boots. A machine whose memory is resizable has none: its device grows, and the guest
 * has it when this resolves.
 *
 * @returns MiB plugged in, in whole blocks; @throws QemuError when the host or the machine has no room
 */
export async function growMemory(qmp: QmpClient, wantedMiB: number, tuning: MemoryTuning = {}): Promise<number> {
  const devices = (await qmp.execute("query-memory-devices")) as readonly MemoryDevice[];
  const resizable = resizableOf(devices);
  if (resizable !== undefined) return growResizable(qmp, resizable, wantedMiB);
  const modules = devices.filter(({ type }) => type === "dimm");
  const pluggedMiB = modules.reduce((sum, { data }) => sum + data.size, 0) / 1024 ** 2;
  const missing = Math.ceil((wantedMiB - pluggedMiB) / BLOCK_MIB) * BLOCK_MIB;
  if (missing <= 0) return 0;
  const memory = `mem${String(modules.length)}`;
  const size = missing * 1024 ** 2;
  const { type, properties } = memoryBackendOf(tuning);
  const options = { deadlineMs: MEMORY_DEADLINE_MS };
  await qmp.execute("object-add", { "qom-type": type, id: memory, size, ...properties }, options);
  try {
    await qmp.execute("device_add", { driver: "pc-dimm", id: `dimm-${memory}`, memdev: memory }, options);
  } catch (error) {
    await qmp.execute("object-del", { id: memory });
    throw error;
  }
  return missing;
}
