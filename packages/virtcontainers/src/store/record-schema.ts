import type { SpecHook } from "@kata-ts/agent-protocol";
import type { ProcessIdentity } from "@kata-ts/linux";
import {
  count,
  flag,
  listOf,
  mapOf,
  object,
  oneOf,
  optional,
  positive,
  quantity,
  type Shape,
  text,
} from "@kata-ts/linux/shape";
import { recordedCgroup } from "../cgroup/recorded.ts";
import { KataError } from "../errors.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { ContainerRecord, LaterHooks, ResourceRequest } from "../ports/store.ts";
import { migrated } from "./migrated.ts";

export const processIdentity: Shape<ProcessIdentity> = object({ pid: positive, startTime: count });

const vm = object<VmState>({
  dir: text,
  agentUrl: text,
  processes: listOf(processIdentity),
  vmm: processIdentity,
  accelerator: text,
  networkNamespace: optional(text),
  resolvConf: optional(text),
  cgroup: optional(recordedCgroup),
});

const hooks = optional(
  listOf(
    object<SpecHook>({
      path: text,
      args: optional(listOf(text)),
      env: optional(listOf(text)),
      timeout: optional(quantity),
    }),
  ),
);

const record = object<ContainerRecord>({
  version: oneOf(2),
  id: text,
  incarnation: optional(text),
  sandboxId: text,
  status: oneOf("creating", "created", "starting", "running", "paused", "stopped"),
  generation: count,
  ociVersion: text,
  bundle: text,
  rootfs: text,
  created: text,
  annotations: mapOf(text),
  bootId: text,
  vm: optional(vm),
  shim: optional(processIdentity),
  sharedShim: optional(flag),
  worker: optional(processIdentity),
  cgroup: optional(recordedCgroup),
  user: optional(text),
  demand: optional(object<ResourceRequest>({ milliCpus: quantity, memoryMiB: quantity })),
  hooks: optional(object<LaterHooks>({ poststart: hooks, poststop: hooks })),
});

/** Reads records of this version and of older ones. @throws KataError KATA_STATE_FILE for anything else */
export function parseRecord(json: string, path: string): ContainerRecord {
  try {
    return record(migrated(JSON.parse(json)), "the record");
  } catch (error) {
    throw new KataError("KATA_STATE_FILE", `${path} is not a container record of this version`, {
      cause: error,
      hint: "`delete --force` removes the container",
    });
  }
}
