import { readFileSync } from "node:fs";
import { listOf, object, oneOf, optional, parseShape, positive, quantity, text } from "@kata-ts/linux/shape";
import type { CniAttachment, PluginConfig } from "./cni.ts";

/** The file in a bundle that says which network has to be taken back. */
export const NETWORK_NOTE = "network.json";

export interface PortMapping {
  readonly hostIP?: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp";
}

/** What has to be taken back for a bundle. */
export interface NetworkNote {
  readonly plugins: readonly PluginConfig[];
  readonly attachment: CniAttachment;
}

const noteShape = object<NetworkNote>({
  plugins: listOf(object<PluginConfig>({ type: text })),
  attachment: object<CniAttachment>({
    containerId: text,
    namespace: text,
    directory: optional(text),
    deadlineMs: optional(quantity),
  }),
});

const mappings = object<{ readonly portMappings?: readonly PortMapping[] }>({
  portMappings: optional(
    listOf(
      object<PortMapping>({
        hostIP: optional(text),
        hostPort: positive,
        containerPort: positive,
        protocol: oneOf("tcp", "udp"),
      }),
    ),
  ),
});

/** The ports of the host that a plugin forwards. @throws TypeError where they are damaged */
export function portsOf({ runtimeConfig }: PluginConfig): readonly PortMapping[] {
  return runtimeConfig === undefined ? [] : (mappings(runtimeConfig, "runtimeConfig").portMappings ?? []);
}

/** Undefined for a note that is missing or damaged. */
export function readNote(file: string): NetworkNote | undefined {
  try {
    const note = parseShape(noteShape, readFileSync(file, "utf8"), NETWORK_NOTE);
    for (const plugin of note.plugins) portsOf(plugin);
    return note;
  } catch {
    return undefined;
  }
}
