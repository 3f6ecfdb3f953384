import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mapOf, nullable, object, optional, parseShape, text } from "@kata-ts/linux/shape";

/** Annotations by which containers say that they belong together: the CRI's, and containerd's own for any client. */
const GROUPS = ["io.kubernetes.cri.sandbox-id", "io.containerd.runc.v2.group"];

interface Annotated {
  readonly annotations?: Readonly<Record<string, string>> | null;
}

const annotated = object<Annotated>({ annotations: optional(nullable(mapOf(text))) });

/** The pod that a container belongs to: one process serves all of it. By default its own id. */
export function groupOf(bundle: string, id: string): string {
  const annotations = annotationsOf(bundle);
  for (const name of GROUPS) {
    const group = annotations[name] ?? "";
    if (group !== "") return group;
  }
  return id;
}

/** The create that follows reports a bundle that cannot be read. */
function annotationsOf(bundle: string): Readonly<Record<string, string>> {
  const path = join(bundle, "config.json");
  try {
    return parseShape(annotated, readFileSync(path, "utf8"), path).annotations ?? {};
  } catch {
    return {};
  }
}
