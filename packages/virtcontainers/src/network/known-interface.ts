import type { JournalEntry } from "@kata-ts/netns";
import type { PluggedNic } from "../ports/hypervisor.ts";
import { anyObject, flag, listOf, object, text } from "../shape.ts";
import type { GuestInterface, GuestRoute } from "./guest-view.ts";

/** What is kept with a connection: its card, and what the guest has been told. */
export interface InterfaceNote {
  readonly nic: PluggedNic;
  readonly told: GuestInterface;
  readonly routes: readonly GuestRoute[];
  /** Plugged in by hand: what is in the namespace does not change it. */
  readonly manual: boolean;
}

export interface KnownInterface {
  readonly index: number;
  readonly name: string;
  /** Its addresses are in the guest only. */
  readonly emptied: boolean;
  /** A device of the host's that is the guest's whole: it is in no namespace, and has not gone for that. */
  readonly passed: boolean;
  readonly note: InterfaceNote;
}

const noteShape = object<InterfaceNote>({
  nic: object<PluggedNic>({ id: text, pciPath: text, rootPort: text }),
  told: anyObject,
  routes: listOf(anyObject),
  manual: flag,
});

/** Those of a journal that were given to the guest; others were cut off before that. */
export function knownInterfaces(entries: readonly JournalEntry[]): KnownInterface[] {
  return entries.flatMap(({ connection, note }) => {
    const known = readNote(note);
    if (known === undefined) return [];
    const { index, link, model } = connection;
    return [{ index, name: link, emptied: model === "macvtap", passed: model === "vfio", note: known }];
  });
}

function readNote(note: unknown): InterfaceNote | undefined {
  try {
    return noteShape(note, "note");
  } catch {
    return undefined;
  }
}
