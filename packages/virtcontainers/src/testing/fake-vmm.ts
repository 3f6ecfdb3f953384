import { closeSync, existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { createMemoryFile, listenUnix, spawnTied } from "@kata-ts/linux";
import type { PreparedMachine } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import type { VmCapabilities } from "../ports/capabilities.ts";
import type { VmGrowth, VmState } from "../ports/hypervisor.ts";
import type { Fingerprint } from "../ports/saved-vm.ts";
import type {
  Machine,
  MachineDescription,
  MachineIdentity,
  MachineLauncher,
  MachinePlace,
  SavableMachine,
  Vmm,
  VmSettings,
} from "../ports/vmm.ts";
import type { SavedGuest } from "../template/saved-guest.ts";
import { ALL_CAPABILITIES } from "./all-capabilities.ts";
import { FakeMachine } from "./fake-machine.ts";

const PROGRAM = "/bin/sleep";

export interface FakeVmmOptions {
  /** Below which each VM gets a directory. */
  readonly vmRoot: string;
  /** What its machines lack of all that a monitor's can. */
  readonly lacks?: Partial<VmCapabilities>;
  readonly size?: VmGrowth;
}

/**
 * A monitor without guests: each machine is an idle process that a real supervisor starts and watches, and whose serial port
 * nothing answers at. What is plugged in is remembered. It passes the same compliance suite as the real ones.
 */
export class FakeVmm implements Vmm {
  readonly settings: VmSettings;
  readonly capabilities: VmCapabilities;
  readonly size: VmGrowth;
  /** What each machine has at boot, by its VM's directory. */
  readonly booted: Map<string, VmGrowth> = new Map();
  readonly #machines: Map<string, FakeMachine> = new Map();

  constructor({ vmRoot, lacks = {}, size = { vcpus: 1, memoryMiB: 256 } }: FakeVmmOptions) {
    this.settings = { vmRoot, sharedTree: { kind: "9p", messageBytes: 8192 } };
    this.capabilities = { ...ALL_CAPABILITIES, ...lacks };
    this.size = size;
  }

  requireFiles(): void {
    if (!existsSync(PROGRAM)) throw new KataError("KATA_CONFIG", `${PROGRAM} is not there`);
  }

  async requirePrograms(): Promise<void> {
    await Promise.resolve();
  }

  async accelerator(): Promise<string> {
    return "fake";
  }

  describe({ name, directory, growth }: MachinePlace): MachineDescription {
    this.booted.set(directory.path, {
      vcpus: this.size.vcpus + (growth?.vcpus ?? 0),
      memoryMiB: this.size.memoryMiB + (growth?.memoryMiB ?? 0),
    });
    return {
      monitor: "fake",
      files: { monitor: PROGRAM, kernel: PROGRAM, image: PROGRAM },
      serialSocket: directory.agentSocket,
      config: { name, socket: directory.agentSocket },
    };
  }

  async launcher(): Promise<MachineLauncher> {
    return async (config, { isClone }) => prepare(config as FakeConfig, isClone);
  }

  identify(): MachineIdentity {
    return { machine: { size: this.size, capabilities: this.capabilities }, files: [PROGRAM], start: "" };
  }

  async fingerprint(accelerator: string): Promise<Fingerprint> {
    return { accelerator, size: JSON.stringify(this.size) };
  }

  async machine({ dir }: VmState): Promise<Machine> {
    const known = this.#machines.get(dir) ?? new FakeMachine();
    this.#machines.set(dir, known);
    return known;
  }

  async startToSave(): Promise<SavableMachine> {
    const { child, exited } = spawnTied(PROGRAM, ["1000"], ["ignore", "ignore", "ignore"]);
    return {
      console: Readable.from([]),
      stderr: Readable.from([]),
      exited,
      save: async ({ memory, state }: SavedGuest) => {
        await writeFile(memory, "memory");
        await writeFile(state, "state");
      },
      [Symbol.asyncDispose]: async () => {
        child.kill("SIGKILL");
        await exited;
      },
    };
  }
}

interface FakeConfig {
  readonly socket: string;
}

/** The process holds the listening socket of the serial port, as a real monitor does: a connection waits for its guest. */
function prepare({ socket }: FakeConfig, isClone: boolean): PreparedMachine {
  const port = listenUnix(socket, 1);
  const memory = isClone ? createMemoryFile("fake-memory") : undefined;
  let descriptors = memory === undefined ? [port] : [port, memory];
  return {
    memory,
    user: undefined,
    start: () => spawnTied(PROGRAM, ["1000"], ["ignore", "pipe", "pipe", port]),
    [Symbol.dispose]: () => {
      for (const descriptor of descriptors) closeSync(descriptor);
      descriptors = [];
    },
  };
}
