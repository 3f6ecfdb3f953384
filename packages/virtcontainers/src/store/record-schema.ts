import type { ProcessIdentity } from "@kata-ts/linux";
import * as z from "zod/mini"; // A quarter of the time that all of zod takes to load: engines ask for states often.
import { KataError } from "../errors.ts";
import type { ContainerRecord } from "../ports/store.ts";

/** A ProcessIdentity. */
export const processIdentity: z.ZodMiniType<ProcessIdentity> = z.object({
  pid: z.int().check(z.positive()),
  startTime: z.int().check(z.nonnegative()),
});

const vm = z.object({
  dir: z.string(),
  agentUrl: z.string(),
  processes: z.array(processIdentity),
  qemu: processIdentity,
  accelerator: z.string(),
  networkNamespace: z.exactOptional(z.string()),
  cgroup: z.exactOptional(z.array(z.string())),
});

const hook = z.object({
  path: z.string(),
  args: z.exactOptional(z.array(z.string())),
  env: z.exactOptional(z.array(z.string())),
  timeout: z.exactOptional(z.number()),
});

const hooks = z.object({
  poststart: z.exactOptional(z.array(hook)),
  poststop: z.exactOptional(z.array(hook)),
});

const schema = z.object({
  version: z.literal(1),
  id: z.string(),
  incarnation: z.exactOptional(z.string()),
  sandboxId: z.string(),
  status: z.enum(["creating", "created", "starting", "running", "paused", "stopped"]),
  generation: z.int().check(z.nonnegative()),
  ociVersion: z.string(),
  bundle: z.string(),
  rootfs: z.string(),
  created: z.string(),
  annotations: z.record(z.string(), z.string()),
  bootId: z.string(),
  vm: z.exactOptional(vm),
  shim: z.exactOptional(processIdentity),
  worker: z.exactOptional(processIdentity),
  cgroup: z.exactOptional(z.array(z.string())),
  demand: z.exactOptional(z.object({ milliCpus: z.number(), memoryMiB: z.number() })),
  hooks: z.exactOptional(hooks),
});

/** @throws KataError KATA_STATE_FILE for anything that is not a record of this version */
export function parseRecord(text: string, path: string): ContainerRecord {
  try {
    // zod makes code of a schema when it is first used: for one record that takes longer than it saves.
    return schema.parse(JSON.parse(text), { jitless: true });
  } catch (error) {
    throw new KataError("KATA_STATE_FILE", `${path} is not a container record of this version`, {
      cause: error,
      hint: "`delete --force` removes the container",
    });
  }
}
