import { join } from "node:path";
import {
  type MachineDescription,
  type VirtiofsdConfig,
  type VmSpec,
  type VmSurroundings,
  virtiofsdVersion,
} from "@kata-ts/proxy";
import { placeOf } from "../cgroup/recorded.ts";
import type { BootRequest } from "../ports/hypervisor.ts";
import type { VmSettings } from "../ports/vmm.ts";
import type { VmDirectory } from "./vm-directory.ts";

/** Of cgroup v2 and of v1. */
const OOM_FILES = ["memory.events", "memory.oom_control"];

/** All of a sandbox's surroundings but its network namespace, which each supervisor comes into in a way of its own. */
export function surroundingsOf({ onNetworkChange }: VmSettings, request: BootRequest): VmSurroundings {
  const { sandboxId, resolver, resolvConf, forwardLoopback = false, cgroup } = request;
  const oomFiles = placeOf(cgroup).directories.flatMap((directory) => OOM_FILES.map((name) => join(directory, name)));
  return {
    oomFiles,
    ...(resolver === undefined ? {} : { resolver }),
    ...(resolvConf === undefined ? {} : { resolvConf }),
    forwardLoopback,
    ...(onNetworkChange === undefined ? {} : { onNetworkChange: [...onNetworkChange, sandboxId] }),
  };
}

/** The description of a VM for a sandbox's supervisor. @throws SpawnError where its file daemon is none */
export async function vmSpec(
  machine: MachineDescription,
  settings: VmSettings,
  directory: VmDirectory,
  request: BootRequest,
): Promise<VmSpec> {
  const virtiofsd = await fileDaemon(settings, directory);
  return {
    dir: directory.path,
    sharedDir: directory.shared,
    proxySocket: directory.proxySocket,
    ...(settings.vsock === undefined ? {} : { vsock: settings.vsock }),
    ...surroundingsOf(settings, request),
    machine,
    ...(virtiofsd === undefined ? {} : { virtiofsd }),
  };
}

async function fileDaemon({ sharedTree }: VmSettings, directory: VmDirectory): Promise<VirtiofsdConfig | undefined> {
  if (sharedTree.kind !== "virtio-fs") return undefined;
  const { daemonPath: path, cache, extraArguments, savable } = sharedTree;
  return {
    path,
    kind: (await virtiofsdVersion(path)).kind,
    socket: directory.virtiofsSocket,
    source: directory.shared,
    cache,
    ...(savable === undefined ? {} : { savable }),
    ...(extraArguments === undefined ? {} : { extraArguments }),
  };
}
