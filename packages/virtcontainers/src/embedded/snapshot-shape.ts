import { count, exactly, flag, listOf, optional, positive, type Shape, text } from "@kata-ts/linux/shape";
import type { ForkOptions } from "./fork-options.ts";
import type { NetworkedOptions } from "./network-options.ts";
import { NETWORKED, requireNat } from "./network-shape.ts";
import { absolutePath, LIMIT } from "./process-shape.ts";
import { vmShape } from "./sandbox-shape.ts";
import type { RestoreOptions, SnapshotOptions } from "./snapshot.ts";

export const snapshotShape: Shape<SnapshotOptions> = exactly<SnapshotOptions>({
  leaveRunning: optional(flag),
  deadlineMs: optional(positive),
  signal: LIMIT.signal,
});

export const forkShape: Shape<ForkOptions> = exactly<ForkOptions>({
  ids: optional(listOf(text)),
  directory: optional(absolutePath),
  ports: NETWORKED.ports,
  egress: NETWORKED.egress,
  deadlineMs: optional(positive),
  signal: LIMIT.signal,
});

/** How many copies of a sandbox are made. */
export const copyCount: Shape<number> = positive;

const restoreFields: Shape<RestoreOptions> = exactly<RestoreOptions>({
  ...NETWORKED,
  vm: vmShape,
  id: optional(text),
  idleWarningMs: optional(count),
  ...LIMIT,
});

export const restoreShape: Shape<RestoreOptions> = (value, place) => {
  const options = restoreFields(value, place);
  requireNat(options, place);
  return options;
};

/** Of values that have been checked: whether copies have such a network at all. */
export const networkOfCopiesShape: Shape<NetworkedOptions> = (value, place) => {
  const options = value as NetworkedOptions;
  requireNat(options, place);
  return options;
};
