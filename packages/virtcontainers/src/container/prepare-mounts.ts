import { createHash } from "node:crypto";
import { stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { grpc, RuntimeSpec, SpecMount } from "@kata-ts/agent-protocol";
import type { Agent } from "../ports/agent.ts";
import type { Vm } from "../ports/hypervisor.ts";
import { GUEST_SHM } from "../sandbox/shared-memory.ts";
import type { UndoStack } from "../undo.ts";
import { bindOptions, isHostBind } from "./bind-options.ts";
import type { ContainerConfig } from "./config.ts";
import { copyBind } from "./copy-bind.ts";
import { engineMemory } from "./engine-memory.ts";
import { guestResources } from "./guest-resources.ts";
import { prepareRoot } from "./prepare-root.ts";

/** A running VM, and its agent. */
interface PrepareTarget {
  readonly vm: Vm;
  readonly agent: Pick<Agent, "copyFile">;
}

/** A container's config.json with the guest's paths in it, and what the guest has to mount before. */
export interface PreparedMounts {
  readonly spec: RuntimeSpec;
  readonly storages: readonly grpc.Storage.$Properties[];
}

/**
 * Gives the guest the container's root file system and every host file that a bind mount names. Read-only is enforced
 * here, on the host: the guest cannot undo it. A VM that shares no files gets copies. Memory of the host's becomes memory of the guest's.
 */
export async function prepareMounts(
  config: ContainerConfig,
  { vm, agent }: PrepareTarget,
  undo: UndoStack,
): Promise<PreparedMounts> {
  const root = await prepareRoot(config, vm, undo);
  const give = (mount: SpecMount, index: number): Promise<SpecMount> =>
    vm.sharesFiles ? shareBind(config, vm, mount, index) : copyBind(agent, config.id, mount, index);
  const mounts: SpecMount[] = [];
  const storages: grpc.Storage.$Properties[] = [...root.storages];
  for (const [index, mount] of (config.spec.mounts ?? []).entries()) {
    const inMemory = isHostBind(mount) ? await guestMemory(mount) : undefined;
    if (inMemory !== undefined) {
      mounts.push({ ...mount, type: "bind", source: inMemory.path });
      storages.push(...inMemory.storages);
    } else {
      mounts.push(isHostBind(mount) ? await give(mount, index) : mount);
    }
  }
  const { linux = {} } = config.spec;
  const resources = linux.resources === undefined ? {} : { resources: guestResources(linux.resources) };
  const spec = {
    ...config.spec,
    root: { ...config.spec.root, path: root.path },
    mounts,
    linux: { ...linux, ...resources },
  };
  return { spec, storages };
}

async function shareBind(config: ContainerConfig, vm: Vm, mount: SpecMount, index: number): Promise<SpecMount> {
  const options = bindOptions(mount);
  const source = await vm.share(mount.source ?? "", `${config.id}/mounts/${String(index)}`, options.share);
  return { ...mount, source, type: "bind", options: [...options.guest] };
}

interface GuestMemory {
  readonly path: string;
  readonly storages: readonly grpc.Storage.$Properties[];
}

const GUEST_EPHEMERAL = "/run/kata-containers/sandbox/ephemeral";

/**
 * Engines mount a tmpfs on the host for what the containers of a pod share in memory: POSIX shared memory, and emptyDir
 * volumes of the medium "Memory". The guest has one of its own in its place, which all containers of the pod get, whole or
 * a directory of it.
 */
async function guestMemory({ destination, source = "" }: SpecMount): Promise<GuestMemory | undefined> {
  if (destination === SHM && source === GUEST_SHM) return { path: GUEST_SHM, storages: [] };
  const memory = engineMemory(source);
  if (memory === undefined) return undefined;
  const { kind, point, subdirectory } = memory;
  if (kind === "shm") return destination === SHM ? { path: GUEST_SHM, storages: [] } : undefined;
  const path = `${GUEST_EPHEMERAL}/${createHash("sha256").update(point).digest("hex").slice(0, 32)}`;
  const options = [...(await ownerOf(point)), `size=${String(await bytesOf(point))}`];
  const whole = { driver: "ephemeral", source: "tmpfs", fstype: "tmpfs", mount_point: path, options };
  if (subdirectory === "") return { path, storages: [whole] };
  const part = join(path, subdirectory);
  const made = { driver: "local", source: "local", fstype: "local", mount_point: part, options: await ownerOf(source) };
  return { path: part, storages: [whole, made] };
}

async function ownerOf(path: string): Promise<string[]> {
  const { mode, uid, gid } = await stat(path);
  return [`mode=${(mode & 0o7777).toString(8)}`, `uid=${String(uid)}`, `gid=${String(gid)}`];
}

const SHM = "/dev/shm";

/** Engines that let the containers of a pod share memory have made it on the host, in the size it is to have. */
export async function sharedMemoryBytes({ mounts = [] }: RuntimeSpec): Promise<number | undefined> {
  const bind = mounts.findLast((mount) => mount.destination === SHM && isHostBind(mount));
  // A volume that a container has there is its own, and has a size of its own.
  const memory = bind?.source === undefined ? undefined : engineMemory(bind.source);
  return memory?.kind === "shm" ? bytesOf(memory.point) : undefined;
}

async function bytesOf(path: string): Promise<number> {
  const { blocks, bsize } = await statfs(path);
  return blocks * bsize;
}
