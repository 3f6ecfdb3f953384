import type { ConnectionJournal } from "@kata-ts/netns";
import type { UnplugOptions, Vm } from "../ports/hypervisor.ts";
import { LateCard } from "../ports/late-card.ts";
import type { KnownInterface } from "./known-interface.ts";

/**
 * Takes a card out of a running VM that is to be given back. That it was asked for is recorded before: the guest may let go of it when
 * the call has given up, or was killed, and then its interface is to be connected again.
 *
 * @throws LateCard, after which it is recorded still; any other error: the guest keeps it
 */
export async function takeOut(
  vm: Vm,
  journal: ConnectionJournal,
  item: KnownInterface,
  options: UnplugOptions = {},
): Promise<void> {
  await journal.note(item.index, { ...item.note, leaving: true });
  try {
    await waitUntilOut(vm, item, options);
  } catch (error) {
    if (!(error instanceof LateCard)) await journal.note(item.index, item.note);
    throw error;
  }
}

/** As `takeOut`, of a card that an earlier call has asked for, or that is out. @throws LateCard with the interface's name */
export async function waitUntilOut(vm: Vm, { name, note }: KnownInterface, options: UnplugOptions = {}): Promise<void> {
  try {
    await vm.unplugNic(note.nic, options);
  } catch (error) {
    throw error instanceof LateCard ? new LateCard(`interface ${name}`, error) : error;
  }
}

/** For a guest that lets go of cards one after the other, each of which takes it five seconds by the rules of PCI Express. */
const [DEADLINE_MS, MORE_MS] = [20_000, 6_000];

/** What a VM's guest has for all of its cards together: also where it is late, and what it has let go of meanwhile is given back. */
export function withdrawalDeadline(cards: number, now: () => number = () => performance.now()): WithdrawalDeadline {
  const giveUpAt = now() + DEADLINE_MS + Math.max(0, cards - 1) * MORE_MS;
  const until = (moment: number): UnplugOptions => ({ deadlineMs: Math.max(0, moment - now()) });
  return { left: () => until(giveUpAt), leftForLate: () => until(giveUpAt + MORE_MS) };
}

interface WithdrawalDeadline {
  left(): UnplugOptions;
  /** For what is given back: a card that is late by a moment only would be connected again by a later call alone. */
  leftForLate(): UnplugOptions;
}
