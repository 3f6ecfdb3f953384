import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import { type ContainerRecord, KataError } from "@kata-ts/virtcontainers";

const EGRESS = "io.katacontainers.config.runtime.egress";

/**
 * A pod's containers have one network: what they may call was decided when its VM was made. Engines repeat a pod's annotations with each.
 *
 * @param sandbox the record of the pod's first container
 * @throws KataError KATA_ANNOTATION for a member that asks for something else
 */
export function requireSameEgress(
  { annotations = {} }: RuntimeSpec,
  { id, annotations: ofPod }: Pick<ContainerRecord, "id" | "annotations">,
): void {
  const wanted = annotations[EGRESS];
  if (wanted === undefined || wanted === ofPod[EGRESS]) return;
  const message = `annotation ${EGRESS}: ${JSON.stringify(wanted)} is not that of sandbox ${id}, whose network the container shares`;
  throw new KataError("KATA_ANNOTATION", message, { hint: "annotate the pod itself" });
}
