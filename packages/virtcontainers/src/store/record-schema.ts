import type { SpecHook } from "@kata-ts/agent-protocol";
import type { ProcessIdentity } from "@kata-ts/linux";
import { recordedCgroup } from "../cgroup/recorded.ts";
import { KataError } from "../errors.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { ContainerRecord, Demand, LaterHooks } from "../ports/store.ts";
import { count, listOf, mapOf, object, oneOf, optional, positive, quantity, type Shape, text } from "../shape.ts";

export const processIdentity: Shape<ProcessIdentity> = object({ pid: positive, startTime: count });

const vm = object<VmState>({
  dir: text,
  agentUrl: text,
  processes: listOf(processIdentity),
  qemu: processIdentity,
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
  version: oneOf(1),
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
  worker: optional(processIdentity),
  cgroup: optional(recordedCgroup),
  demand: optional(object<Demand>({ milliCpus: quantity, memoryMiB: quantity })),
  hooks: optional(object<LaterHooks>({ poststart: hooks, poststop: hooks })),
});

/** @throws KataError KATA_STATE_FILE for anything that is not a record of this version */
export function parseRecord(json: string, path: string): ContainerRecord {
  try {
    return record(JSON.parse(json), "the record");
  } catch (error) {
    throw new KataError("KATA_STATE_FILE", `${path} is not a container record of this version`, {
      cause: error,
      hint: "`delete --force` removes the container",
    });
  }
}
