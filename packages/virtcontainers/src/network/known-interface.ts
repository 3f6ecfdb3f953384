import { anyObject, flag, listOf, object, optional, text } from "@kata-ts/linux/shape";
import type { JournalEntry } from "@kata-ts/netns";
import type { PluggedNic } from "../ports/hypervisor.ts";
import type { GuestInterface, GuestRoute } from "./guest-view.ts";

/** What is kept with a connection: its card, and what the guest has been told. */
export interface InterfaceNote {
  readonly nic: PluggedNic;
  readonly told: GuestInterface;
  readonly routes: readonly GuestRoute[];
  /** Plugged in by hand: what is in the namespace does not change it. */
  readonly manual: boolean;
  /** The guest was asked for its card, to be given it back: it may have let go of it, or do so at any time. */
  readonly leaving?: boolean | undefined;
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
  nic: object<PluggedNic>({ handle: text, where: text }),
  told: anyObject,
  routes: listOf(anyObject),
  manual: flag,
  leaving: optional(flag),
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
    return noteShape(fromOlder(note), "note");
  } catch {
    return undefined;
  }
}

/** An older release has recorded a card's handle and place in QEMU's words. */
function fromOlder(note: unknown): unknown {
  const older = { ...anyObject(note, "note") } as { readonly nic?: Readonly<Record<string, unknown>> };
  if (older.nic === undefined || older.nic.handle !== undefined) return note;
  const { id: handle, pciPath: where } = older.nic;
  return { ...older, nic: { handle, where } };
}
