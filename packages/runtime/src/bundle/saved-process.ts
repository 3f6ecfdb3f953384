import type { RuntimeSpec, SpecProcess } from "@kata-ts/agent-protocol";
import { KataError } from "@kata-ts/virtcontainers";
import { loadSpec } from "./load.ts";
import { podRole } from "./sandbox.ts";

/**
 * The first process of a container that is to be saved, as its bundle has it.
 *
 * @param bundle its directory
 * @throws KataError KATA_UNSUPPORTED for a container of a pod
 */
export function savedProcess(id: string, bundle: string): SpecProcess {
  const spec = loadSpec(bundle);
  refuseOfPod(spec, id, "saved");
  return spec.process ?? { cwd: "/" };
}

/** A VM is saved and restored whole, and no verb of runc's is about several containers. @param what is not done with it */
export function refuseOfPod(spec: RuntimeSpec, id: string, what: "saved" | "restored"): void {
  if (podRole(spec, id).kind === "single") return;
  const message = `container ${id} cannot be ${what}: its annotations make it one of a pod`;
  throw new KataError("KATA_UNSUPPORTED", message, {
    hint: `containers that have a VM of their own can be ${what}`,
  });
}
