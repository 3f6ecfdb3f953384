import {
  count,
  exactly,
  flag,
  listOf,
  object,
  oneOf,
  optional,
  parseShape,
  type Shape,
  text,
} from "@kata-ts/linux/shape";
import { KataError, reasonOf } from "../errors.ts";
import { CONTAINER, type SavedContainer } from "../snapshot/manifest.ts";
import type { QemuConfig } from "../vmm-qemu/qemu-config.ts";
import type { NetworkOptions } from "./network-options.ts";
import { NETWORKED } from "./network-shape.ts";
import { vmShape } from "./sandbox-shape.ts";
import type { VmOptions } from "./vm-options.ts";

/** Changes whenever an older release could not go on with a sandbox that a newer one has detached. */
const FORMAT = 1;

/** A container of a sandbox that was detached. */
export interface DetachedContainer extends Omit<SavedContainer, "status"> {
  /** Its first process has a stream of its own. */
  readonly isStreamed: boolean;
  /** The status of a first process that had ended. */
  readonly exitCode?: number | undefined;
}

/** What a program that detaches a sandbox leaves for the one that opens it. */
export interface DetachedNote {
  readonly format: typeof FORMAT;
  readonly accelerator: string;
  /** The machine, unless the sandbox was made through ports of the program's own. */
  readonly vm?: VmOptions | undefined;
  readonly network?: NetworkOptions;
  readonly idleWarningMs?: number;
  readonly containers: readonly DetachedContainer[];
}

const note: Shape<DetachedNote> = object<DetachedNote>({
  format: oneOf(FORMAT),
  accelerator: text,
  vm: optional(vmShape),
  network: NETWORKED.network as Shape<NetworkOptions | undefined>,
  idleWarningMs: optional(count),
  containers: listOf(exactly<DetachedContainer>({ ...CONTAINER, isStreamed: flag, exitCode: optional(count) })),
});

export function encodeNote(content: Omit<DetachedNote, "format"> & { readonly vm?: QemuConfig | undefined }): string {
  return JSON.stringify({ format: FORMAT, ...content } satisfies DetachedNote);
}

/** As it was, but for containers of which a program knows more that has opened it meanwhile: it may have got a status, which the guest forgets. */
export function renewNote(content: DetachedNote, newer: readonly DetachedContainer[]): string {
  const containers = content.containers.map((each) => newer.find(({ id }) => id === each.id) ?? each);
  return JSON.stringify({ ...content, containers } satisfies DetachedNote);
}

/** @throws KataError KATA_STATE_FILE for one that is damaged, or of a later release */
export function parseNote(sandboxId: string, content: string): DetachedNote {
  try {
    return parseShape(note, content, `what is recorded of sandbox ${sandboxId}`);
  } catch (error) {
    throw new KataError("KATA_STATE_FILE", reasonOf(error), {
      cause: error,
      hint: "open it with the release that has detached it, or remove it: Sandbox.list()",
    });
  }
}
