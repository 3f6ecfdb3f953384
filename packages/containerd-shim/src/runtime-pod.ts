import { resolve } from "node:path";
import { cleanUp, findInstallation, loadBundle, type PodOptions, Pod as RuntimePod } from "@kata-ts/runtime";
import { FileStore, parseContainerId } from "@kata-ts/virtcontainers/records";
import type { ShimFlags } from "./flags.ts";
import type { ShimLog } from "./log.ts";
import { recordRoot } from "./record-root.ts";
import { withSandboxMounts } from "./sandbox/sandbox-files.ts";
import type { Exit, Pod, PodContainerRequest, PodProcess, PodSandboxRequest } from "./tasks/pod.ts";

/** A cgroup's path as systemd has it: slice, prefix and name. No option of containerd says so to this shim. */
const OF_SYSTEMD = /^[^/:]*\.slice:[^/:]*:[^/:]+$/;

/** The pod of a shim: a virtual machine that this process owns, and the containers in it. */
export function openRuntimePod(flags: ShimFlags, log: ShimLog): Pod {
  return new ShimPod(optionsOf(flags, log));
}

/** Removes what a process that was killed has left of a container. Idempotent. @returns bundles of others that went with it */
export function cleanUpContainer(flags: ShimFlags, log: ShimLog): Promise<readonly string[]> {
  return cleanUp(flags.id, optionsOf(flags, log));
}

function optionsOf(flags: ShimFlags, log: ShimLog): PodOptions & { readonly root: string } {
  return { root: recordRoot(flags), installation: findInstallation(import.meta.dirname), log };
}

class ShimPod implements Pod {
  readonly #options: ReturnType<typeof optionsOf>;
  readonly #listeners: ((containerId: string) => void)[] = [];
  readonly #endListeners: (() => void)[] = [];
  #pod: RuntimePod | undefined;
  #mounts: PodSandboxRequest["mounts"] = [];
  /** The pids of the VMs of containers, as engines are told them. */
  readonly #pids: Map<string, number> = new Map();

  constructor(options: ReturnType<typeof optionsOf>) {
    this.#options = options;
  }

  boot(request: PodSandboxRequest): Promise<number> {
    this.#pod ??= this.#open(undefined, OF_SYSTEMD.test(request.cgroupsPath ?? ""));
    this.#mounts = request.mounts;
    return this.#pod.boot(request);
  }

  async stop(): Promise<void> {
    await this.#pod?.stop();
  }

  async create({ id, bundle, configPath, systemdCgroup, checkpoint }: PodContainerRequest): Promise<PodProcess> {
    const { spec, ...rest } = loadBundle(bundle);
    const path = spec.linux?.cgroupsPath ?? "";
    this.#pod ??= this.#open(configPath, systemdCgroup || OF_SYSTEMD.test(path));
    const mounts = withSandboxMounts(spec.mounts ?? [], this.#mounts);
    const request = { id, bundle: { ...rest, spec: { ...spec, mounts } } };
    const made =
      checkpoint === undefined
        ? this.#pod.create(request)
        : this.#pod.restore({ ...request, directory: resolve(checkpoint) });
    const process = await made;
    const pid = await this.#pidOf(id);
    this.#pids.set(id, pid);
    return withPid(process, pid);
  }

  start(id: string): Promise<void> {
    return this.#opened().start(id);
  }

  async exec(...[id, execId, process]: Parameters<Pod["exec"]>): Promise<PodProcess> {
    return withPid(await this.#opened().exec(id, execId, process), this.#pids.get(id));
  }

  signal(...args: Parameters<Pod["signal"]>): Promise<void> {
    return this.#opened().signal(...args);
  }

  pause(id: string): Promise<void> {
    return this.#opened().pause(id);
  }

  resume(id: string): Promise<void> {
    return this.#opened().resume(id);
  }

  async checkpoint(...[id, { directory, exit }]: Parameters<Pod["checkpoint"]>): Promise<void> {
    await this.#opened().checkpoint(id, resolve(directory), { leaveRunning: !exit });
  }

  update(...args: Parameters<Pod["update"]>): Promise<void> {
    return this.#opened().update(...args);
  }

  stats(id: string): ReturnType<Pod["stats"]> {
    return this.#opened().stats(id);
  }

  deleteExec(id: string, execId: string): void {
    this.#opened().deleteExec(id, execId);
  }

  async delete(id: string): Promise<void> {
    await this.#opened().delete(id, { force: true });
    this.#pids.delete(id);
  }

  onOutOfMemory(listener: (containerId: string) => void): void {
    this.#listeners.push(listener);
  }

  onEnd(listener: () => void): void {
    this.#endListeners.push(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pod?.close();
  }

  /** The first container says how all are configured. */
  #open(config: string | undefined, systemdCgroup: boolean): RuntimePod {
    const pod = new RuntimePod({ ...this.#options, systemdCgroup, ...(config === undefined ? {} : { config }) });
    pod.events.on("oom", ({ containerId }) => {
      for (const listener of this.#listeners) listener(containerId);
    });
    pod.events.on("end", () => {
      for (const listener of this.#endListeners) listener();
    });
    return pod;
  }

  #opened(): RuntimePod {
    if (this.#pod === undefined) throw new Error("there is no container yet");
    return this.#pod;
  }

  /**
   * The VM's, which lives in the pod's network namespace: engines name that by the pid for the pod's other containers.
   * This process lives in the host's.
   */
  async #pidOf(id: string): Promise<number> {
    const { vm } = await new FileStore(this.#options.root).read(parseContainerId(id));
    return vm?.vmm.pid ?? process.pid;
  }
}

function withPid(
  of: Omit<PodProcess, "pid" | "exited"> & { readonly exited: Promise<Exit> },
  pid: number = process.pid,
): PodProcess {
  const { stdin, stdout, stderr, exited } = of;
  return {
    ...{ pid, stdin, stdout, stderr, exited },
    resize: (size) => {
      of.resize(size);
    },
    readerGone: (output) => {
      of.readerGone(output);
    },
  };
}
