import type { ConnectionJournal } from "@kata-ts/netns";
import type { Vm } from "../ports/hypervisor.ts";
import { LateCard } from "../ports/late-card.ts";
import type { KnownInterface } from "./known-interface.ts";

/**
 * Takes a card out of a running VM that is to be given back. That it was asked for is recorded before: the guest may let go of it when
 * the call has given up, or was killed, and then its interface is to be connected again.
 *
 * @throws LateCard, after which it is recorded still; any other error: the guest keeps it
 */
export async function takeOut(vm: Vm, journal: ConnectionJournal, item: KnownInterface): Promise<void> {
  await journal.note(item.index, { ...item.note, leaving: true });
  try {
    await waitUntilOut(vm, item);
  } catch (error) {
    if (!(error instanceof LateCard)) await journal.note(item.index, item.note);
    throw error;
  }
}

/** As `takeOut`, of a card that an earlier call has asked for, or that is out. @throws LateCard with the interface's name */
export async function waitUntilOut(vm: Vm, { name, note }: KnownInterface): Promise<void> {
  try {
    await vm.unplugNic(note.nic);
  } catch (error) {
    throw error instanceof LateCard ? new LateCard(`interface ${name}`, error) : error;
  }
}
