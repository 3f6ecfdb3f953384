import { readFileSync } from "node:fs";
import {
  count,
  listOf,
  object,
  oneOf,
  optional,
  parseShape,
  positive,
  quantity,
  type Shape,
  text,
} from "@kata-ts/linux/shape";
import type { CniAttachment, PluginConfig } from "./cni.ts";

/** The file in a bundle that says which network has to be taken back. */
export const NETWORK_NOTE = "network.json";

export interface PortMapping {
  readonly hostIP?: string;
  /** 0 where any will do. */
  readonly hostPort: number;
  /** Where any of these will do, and no other. */
  readonly hostPorts?: readonly number[];
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp";
}

export const portMapping: Shape<PortMapping> = object<PortMapping>({
  hostIP: optional(text),
  hostPort: count,
  hostPorts: optional(listOf(positive)),
  containerPort: positive,
  protocol: oneOf("tcp", "udp"),
});

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
  portMappings: optional(listOf(portMapping)),
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
