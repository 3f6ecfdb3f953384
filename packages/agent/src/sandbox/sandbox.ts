import { mkdir, writeFile } from "node:fs/promises";
import { type grpc, type RuntimeSpec, specFromMessage } from "@kata-ts/agent-protocol";
import { MountFlag, mount } from "@kata-ts/linux";
import type { Commands } from "../commands.ts";
import { Container } from "../container/container.ts";
import { toGuestSpec } from "../container/guest-spec.ts";
import { OciRuntime } from "../container/oci-runtime.ts";
import { alreadyExists, containerNotFound, failedPrecondition, internal, invalidArgument } from "../errors.ts";
import type { Reaper } from "../reaper.ts";
import { Storages } from "../storage/storage.ts";
import { SandboxNamespaces } from "./namespaces.ts";

export interface SandboxDependencies {
  readonly commands: Commands;
  readonly reaper: Reaper;
  /** `crun` or `runc`. */
  readonly runtime: string;
}

/** The one sandbox of this guest: its shared namespaces, its storages and its containers. */
export class Sandbox {
  readonly #dependencies: SandboxDependencies;
  readonly #runtime: OciRuntime;
  readonly #storages = new Storages();
  readonly #containers: Map<string, { container: Container; mountPoints: string[] }> = new Map();
  #namespaces: SandboxNamespaces | undefined;
  #mountPoints: string[] = [];

  constructor(dependencies: SandboxDependencies) {
    this.#dependencies = dependencies;
    this.#runtime = new OciRuntime(dependencies.commands, dependencies.runtime);
  }

  async create(request: grpc.CreateSandboxRequest): Promise<void> {
    if (this.#namespaces !== undefined) throw alreadyExists("Sandbox already started");
    this.#namespaces = SandboxNamespaces.create(request.hostname, request.sandbox_pidns, this.#dependencies.reaper);
    try {
      await this.#loadModules(request.kernel_modules);
      this.#mountPoints = await this.#storages.add(request.storages);
      await writeResolvConf(request.dns);
    } catch (error) {
      this.#namespaces.remove();
      this.#namespaces = undefined;
      throw error;
    }
  }

  /** Ends every container and gives all back; buffered file data reaches the host. */
  async destroy(): Promise<void> {
    for (const id of [...this.#containers.keys()]) await this.removeContainer(id);
    await this.#dependencies.commands.run("sync", []);
    await this.#storages.release(this.#mountPoints);
    this.#mountPoints = [];
    this.#namespaces?.remove();
    this.#namespaces = undefined;
  }

  async createContainer(request: grpc.CreateContainerRequest): Promise<void> {
    const namespaces = this.#namespaces;
    const id = request.container_id;
    if (namespaces === undefined) throw failedPrecondition("Sandbox not started");
    if (!/^[\w.+-]{1,255}$/.test(id) || id === "." || id === "..") throw invalidArgument(`Bad container id "${id}"`);
    if (this.#containers.has(id)) throw alreadyExists(`Container ${id} exists`);
    if (request.OCI === undefined || request.OCI === null) throw invalidArgument("OCI spec is missing");
    const container = new Container(id, this.#runtime, this.#dependencies.reaper);
    const entry = { container, mountPoints: [] as string[] };
    this.#containers.set(id, entry);
    try {
      entry.mountPoints = await this.#storages.add(request.storages);
      const shared = request.sandbox_pidns ? namespaces.shared : { ...namespaces.shared, pid: undefined };
      const spec = toGuestSpec(specFromMessage(request.OCI), id, shared);
      await container.create(request.exec_id === "" ? id : request.exec_id, withUser(spec, request.string_user));
    } catch (error) {
      await container.remove().catch(() => undefined);
      await this.#storages.release(entry.mountPoints);
      this.#containers.delete(id);
      throw error;
    }
  }

  container(id: string): Container {
    const entry = this.#containers.get(id);
    if (entry === undefined) throw containerNotFound(id);
    return entry.container;
  }

  async removeContainer(id: string): Promise<void> {
    const entry = this.#containers.get(id);
    if (entry === undefined) throw containerNotFound(id);
    await entry.container.remove();
    await this.#storages.release(entry.mountPoints);
    this.#containers.delete(id);
  }

  async #loadModules(modules: readonly grpc.KernelModule.$Properties[]): Promise<void> {
    for (const { name = "", parameters } of modules) {
      const loaded = await this.#dependencies.commands.run("modprobe", ["-v", name ?? "", ...(parameters ?? [])]);
      if (loaded.status !== 0) throw internal(`modprobe ${name ?? ""}: ${loaded.stderr.trim()}`);
    }
  }
}

/** Kata passes a user by number as text, beside the spec. */
function withUser(spec: RuntimeSpec, user: grpc.StringUser.$Properties | null | undefined): RuntimeSpec {
  if (user === null || user === undefined || spec.process === undefined) return spec;
  const uid = Number.parseInt(user.uid ?? "", 10);
  const gid = Number.parseInt(user.gid ?? "", 10);
  if (Number.isNaN(uid) || Number.isNaN(gid)) return spec;
  const additionalGids = (user.additionalGids ?? []).map(Number);
  return { ...spec, process: { ...spec.process, user: { ...spec.process.user, uid, gid, additionalGids } } };
}

async function writeResolvConf(dns: readonly string[]): Promise<void> {
  if (dns.length === 0) return;
  const path = "/run/kata-containers/sandbox/resolv.conf";
  await mkdir("/run/kata-containers/sandbox", { recursive: true });
  await writeFile(path, `${dns.join("\n")}\n`);
  mount(path, "/etc/resolv.conf", null, MountFlag.bind);
}
