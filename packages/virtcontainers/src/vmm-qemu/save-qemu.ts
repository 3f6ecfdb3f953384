import { closeSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { createMemoryFile } from "@kata-ts/linux";
import { copySparse } from "@kata-ts/proxy";
import { QemuError, type QmpClient, saveRunningMachine } from "@kata-ts/qemu-driver";
import { KataError } from "../errors.ts";
import { openFileOf } from "../host/open-file.ts";
import { copyMemory, privateMemoryOf } from "../host/private-memory.ts";
import type { VmState } from "../ports/hypervisor.ts";
import { LeftStanding } from "../ports/left-standing.ts";
import type { SaveRequest } from "../ports/vmm.ts";
import type { SavedGuest } from "../template/saved-guest.ts";
import type { QemuConfig } from "./qemu-config.ts";
import { requireSameOptions } from "./require-same-options.ts";

interface RunningQemu {
  readonly state: VmState;
  readonly config: QemuConfig;
}

/** The kernel's names of what QEMU has its guest's memory in: a memory file of its own, or MEMORY_FILE in its root directory. */
const MEMORY_NAMES = /^\/memfd:memory-backend|^\/(?:qemu\/)?memory(?: \(deleted\))?$|^\/memfd:guest-memory/;

/** Of the memory of a snapshot. */
const IMAGE_NAMES = /\/memory-[0-9a-f]{12}(?: \(deleted\))?$/;

type CopyMemory = (target: FileHandle, signal: AbortSignal) => Promise<void>;

/** Saves a QEMU that runs, its memory out of where it has it. */
export async function saveQemu(
  qmp: QmpClient,
  qemu: RunningQemu,
  saved: SavedGuest,
  { whileStopped, leaveRunning, signal }: SaveRequest,
): Promise<void> {
  await requireSavable(qmp, qemu.config);
  await requireSameOptions(qemu.state, qemu.config);
  const copyGuest = await memoryOf(qemu.state);
  await requireSameImage(qemu);
  await using memoryFile = await open(saved.memory, "wx", 0o600);
  await using stateFile = await open(saved.state, "wx", 0o600);
  // No disk that hangs can keep QEMU from going on.
  const descriptor = createMemoryFile("machine-state");
  try {
    await saveRunningMachine(qmp, descriptor, {
      leaveRunning,
      whileStopped: async () => {
        signal.throwIfAborted();
        await copyGuest(memoryFile, signal);
        await copySparse(`/proc/${String(process.pid)}/fd/${String(descriptor)}`, stateFile.fd, signal);
        await whileStopped(signal);
        await Promise.all([memoryFile, stateFile].map((file: FileHandle) => file.sync()));
      },
    });
  } catch (error) {
    if (error instanceof QemuError && error.code === "KATA_QMP_STOPPED") throw new LeftStanding(error.message, error);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Devices whose other end is the host's, and does not come along. */
const TIED: Readonly<Record<string, string>> = {
  "child<virtio-net-pci>": "a network card",
  "child<vfio-pci>": "a device of the host's",
};

async function requireSavable(qmp: QmpClient, { vsock, memory }: QemuConfig): Promise<void> {
  const plugged = (await qmp.execute("qom-list", { path: "/machine/peripheral" })) as readonly {
    readonly name: string;
    readonly type: string;
  }[];
  const tied = plugged.find(({ type }) => Object.hasOwn(TIED, type));
  if (tied !== undefined) throw unsupported(`it has ${String(TIED[tied.type])}, ${tied.name}`, "give it no network");
  if (memory?.hugePages === true || memory?.directory !== undefined)
    throw unsupported(
      "its memory is in huge pages, or in a file of the host's",
      "unset enable_hugepages and file_mem_backend",
    );
  if (vsock !== undefined) throw unsupported("its agent is reached over vsock", "set use_vsock = false");
}

function unsupported(why: string, hint: string): KataError {
  return new KataError("KATA_UNSUPPORTED", `the VM cannot be saved: ${why}`, { hint });
}

/** What copies the guest's memory: out of its file, or of QEMU's own where that began as the memory of another guest. */
async function memoryOf({ vmm: { pid }, dir }: VmState): Promise<CopyMemory> {
  const path = openFileOf(pid, (file, name) => file.isFile() && MEMORY_NAMES.test(name));
  if (path !== undefined) return (target, signal) => copySparse(path, target.fd, signal);
  const ranges = await privateMemoryOf(pid, (name) => IMAGE_NAMES.test(name));
  if (ranges.length > 0) return (target, signal) => copyMemory(pid, ranges, target, signal);
  throw new KataError("KATA_SNAPSHOT", `the memory of the guest in ${dir} is in no file that can be read`, {
    hint: "it was started by another release: containers that are created from now on can be saved",
  });
}

/** The guest runs its programs out of the image: another one would be another machine. */
async function requireSameImage({ state, config: { imagePath } }: RunningQemu): Promise<void> {
  const { dev, ino } = await stat(imagePath, { bigint: true });
  if (openFileOf(state.vmm.pid, (file) => file.dev === dev && file.ino === ino) !== undefined) return;
  throw new KataError(
    "KATA_SNAPSHOT",
    `the guest image ${imagePath} was replaced since the VM in ${state.dir} was started`,
    {
      hint: "containers that are created from now on can be saved",
    },
  );
}
