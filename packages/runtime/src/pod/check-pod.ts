import { type ContainerId, KataError } from "@kata-ts/virtcontainers";
import type { Bundle } from "../bundle/load.ts";
import { podRole } from "../bundle/sandbox.ts";

/**
 * Checks that a container belongs to the pod of this process, as far as its annotations say.
 *
 * @param pod its id; undefined while it has no container
 * @throws KataError KATA_STATE
 */
export function checkPod({ spec }: Bundle, id: ContainerId, pod: ContainerId | undefined): void {
  const role = podRole(spec, id);
  if (role.kind === "member" && role.sandboxId !== pod) {
    throw wrongPod(`container ${id} is of the pod ${role.sandboxId}, which is not the one of this process`);
  }
  if (role.kind === "sandbox" && pod !== undefined) {
    throw wrongPod(`container ${id} begins a pod, and this process has the pod ${pod} already`);
  }
}

export function wrongPod(message: string): KataError {
  return new KataError("KATA_STATE", message, { hint: "start another process for another pod" });
}
