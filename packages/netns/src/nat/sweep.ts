import { existsSync } from "node:fs";
import { ForwardingNotes } from "./forwarding-notes.ts";
import { keepInHostTable } from "./host-table.ts";
import { formatAddress, type Subnet } from "./ipv4.ts";
import { SubnetLeases } from "./lease.ts";

/** Where the leases of a host are. */
export const LEASES_DIRECTORY = "/run/kata-ts/nat";

/**
 * Takes back what programs have left that were killed: leases, and what the host's network has for them.
 *
 * @param dryRun only look
 * @returns the subnets of the leases; @throws NetnsError KATA_NETWORK
 */
export async function sweepNat(directory: string = LEASES_DIRECTORY, dryRun = false): Promise<string[]> {
  if (!existsSync(directory)) return [];
  const leases = new SubnetLeases(directory);
  using _lock = await leases.lock();
  const left = await leases.abandoned();
  // A sweep in another network namespace removes leases, but not what is noted about this one.
  if (!dryRun && (left.length > 0 || new ForwardingNotes(leases).any)) await sweep(leases);
  return left;
}

/** While the leases are locked. */
export async function sweep(leases: SubnetLeases): Promise<void> {
  const alive = await leases.sweep();
  await keepInHostTable(alive.map(uplinkOf));
  if (alive.length === 0) new ForwardingNotes(leases).restore();
}

/** The address of a lease that packets of its guest come from in the host's network. */
export function uplinkOf({ base }: Subnet): string {
  return formatAddress(base + 2);
}
