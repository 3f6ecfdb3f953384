import type { JournalEntry } from "@kata-ts/netns";
import * as z from "zod/mini";
import type { PluggedNic } from "../ports/hypervisor.ts";
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
  readonly note: InterfaceNote;
}

const schema = z.object({
  nic: z.object({ id: z.string(), pciPath: z.string(), rootPort: z.string() }),
  told: z.looseObject({}),
  routes: z.array(z.looseObject({})),
  manual: z.boolean(),
});

/** Those of a journal that were given to the guest; others were cut off before that. */
export function knownInterfaces(entries: readonly JournalEntry[]): KnownInterface[] {
  return entries.flatMap(({ connection, note }) => {
    const parsed = schema.safeParse(note);
    if (!parsed.success) return [];
    const { index, link, model } = connection;
    return [{ index, name: link, emptied: model === "macvtap", note: parsed.data }];
  });
}
