import { randomUUID } from "node:crypto";
import { realpath } from "node:fs/promises";
import { connectAgent, type SpecMount } from "@kata-ts/agent-protocol";
import type { InterworkingModel } from "@kata-ts/netns";
import { noCgroups } from "../cgroup/no-cgroups.ts";
import { createInGuest } from "../container/in-guest.ts";
import { prepareMounts } from "../container/prepare-mounts.ts";
import type { Environment } from "../environment.ts";
import { defaultQemuConfig, type QemuConfig } from "../hypervisor/qemu-config.ts";
import { QemuHypervisor } from "../hypervisor/qemu-hypervisor.ts";
import { type ContainerId, parseContainerId } from "../identifiers.ts";
import { NamespaceNetwork } from "../network/namespace-network.ts";
import { noNetwork } from "../network/no-network.ts";
import type { Network } from "../ports/network.ts";
import { asked, createSandbox, type LiveSandbox } from "../sandbox/create.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { UndoStack } from "../undo.ts";
import { Container } from "./container.ts";
import { defaultSpec, type ProcessDefaults } from "./default-spec.ts";

export interface SandboxOptions {
  /** The guest's kernel and image; everything else has a default. */
  readonly vm: Pick<QemuConfig, "kernelPath" | "imagePath"> & Partial<QemuConfig>;
  readonly id?: string;
  readonly hostname?: string;
  /** Containers of the sandbox see each other's processes. */
  readonly sharePidNamespace?: boolean;
  /** Milliseconds; 60 000 by default. */
  readonly bootDeadlineMs?: number;
  /** Without it the guest has its loopback only. */
  readonly network?: NetworkOptions;
  readonly signal?: AbortSignal;
}

export interface NetworkOptions {
  /** A path to the network namespace that the VM takes over, such as `/run/netns/pod`; never the caller's own. */
  readonly namespace: string;
  /** `tcfilter` by default. */
  readonly model?: InterworkingModel;
  /** Lines of resolv.conf, for the guest's own programs; containers have their files as mounts. */
  readonly dns?: readonly string[];
}

export interface ContainerOptions extends ProcessDefaults {
  /** A directory on the host with the container's root file system. */
  readonly rootfs: string;
  readonly id?: string;
  /** Host directories and files, as bind mounts of config.json. */
  readonly mounts?: readonly SpecMount[];
}

const BOOT_DEADLINE_MS = 60_000;

/**
 * A VM for containers, owned by this process: it ends with the scope it was made in, and with the process.
 *
 * @example
 * await using sandbox = await Sandbox.create({ vm: { kernelPath, imagePath } });
 * await using container = await sandbox.createContainer({ rootfs: "/srv/alpine", args: ["uname", "-r"] });
 * const { stdout } = await container.start();
 * for await (const chunk of stdout) process.stdout.write(chunk);
 */
export class Sandbox implements AsyncDisposable {
  readonly id: ContainerId;
  readonly #live: LiveSandbox;
  readonly #network: Network;

  private constructor(live: LiveSandbox, network: Network) {
    this.id = live.id;
    this.#live = live;
    this.#network = network;
  }

  /** @param environment the ports to work through; QEMU in this process by default */
  static async create(options: SandboxOptions, environment: Environment = builtIn(options)): Promise<Sandbox> {
    const id = parseContainerId(options.id ?? randomUUID());
    using namespace = options.network === undefined ? undefined : environment.network.open(options.network.namespace);
    const live = await createSandbox(
      {
        id,
        hostname: options.hostname ?? id.slice(0, 12),
        sharePidNamespace: options.sharePidNamespace ?? false,
        bootDeadlineMs: options.bootDeadlineMs ?? BOOT_DEADLINE_MS,
        ...(namespace === undefined ? {} : { namespace, dns: options.network?.dns ?? [] }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      },
      environment,
    );
    return new Sandbox(live, environment.network);
  }

  /** How the guest's instructions are executed, such as `tcg`. */
  get accelerator(): string {
    return this.#live.vm.state.accelerator;
  }

  async createContainer(options: ContainerOptions): Promise<Container> {
    const id = parseContainerId(options.id ?? randomUUID());
    const base = defaultSpec(options);
    const config = {
      id,
      rootfs: await realpath(options.rootfs),
      spec: { ...base, mounts: [...(base.mounts ?? []), ...(options.mounts ?? [])] },
      bundle: "",
      annotations: {},
    };
    const { agent, vm } = this.#live;
    await using undo = new UndoStack();
    const { spec, storages } = await prepareMounts(config, vm, undo);
    const names = { container_id: id, exec_id: id, storages: [...storages] };
    const { token, warnings } = await asked(`create container ${id}`, createInGuest(agent, names, spec));
    for (const warning of warnings) process.emitWarning(warning);
    undo.keep();
    return new Container({
      id,
      agent,
      agentUrl: vm.state.agentUrl,
      unshare: () => vm.unshare(id),
      ...(token === undefined ? {} : { token }),
    });
  }

  /** Brings the guest up to date with what has changed in its network namespace. */
  async syncNetwork(): Promise<void> {
    await this.#network.sync(this.#live.vm, this.#live.agent);
  }

  /** Ends the VM and everything in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#live[Symbol.asyncDispose]();
  }
}

function builtIn(options: SandboxOptions): Environment {
  const config = { ...defaultQemuConfig, ...options.vm };
  const warn = (message: string): void => {
    process.emitWarning(message);
  };
  const { network } = options;
  return {
    store: new MemoryStore(),
    hypervisor: new QemuHypervisor({ config }),
    connectAgent,
    network:
      network === undefined
        ? noNetwork
        : new NamespaceNetwork({ model: network.model ?? "tcfilter", queues: config.vcpus, vhost: true, warn }),
    cgroups: noCgroups,
    warn,
  };
}
