import { channel } from "node:diagnostics_channel";
import { describeDecision, type EgressDecision } from "@kata-ts/netns/nat";
import type { VmExit } from "@kata-ts/proxy";

/** What happens in a sandbox without being asked for. Strings of a guest are not in it as they are: ids are checked, names escaped. */
export interface SandboxEvents {
  /** The first process of a container has ended. */
  exit: [{ readonly containerId: string; readonly exitCode: number }];
  /** A container has run out of the memory that it may have. */
  oom: [{ readonly containerId: string }];
  /** A name or a connection was let through or refused, where `egress` is not `all`; floods are thinned. */
  egress: [EgressDecision];
  /** The VM has ended; why, as far as it is known. */
  end: [VmExit | undefined];
}

/** A message of the diagnostics channel `kata-ts:step`. */
export interface Step {
  /** What is done, such as `vm-started`. */
  readonly step: string;
  /** The sandbox's or container's id. */
  readonly id: string;
}

const steps = channel("kata-ts:step");

/** Tells observers each step of an operation; free when there are none. */
export function publishStep(step: string, id: string): void {
  if (steps.hasSubscribers) steps.publish({ step, id } satisfies Step);
}

const decisions = channel("kata-ts:egress");

/** A line for logs on the diagnostics channel `kata-ts:egress`: `{ id, line }`. Free without a subscriber. */
export function publishDecision(decision: EgressDecision, id: string): void {
  if (decisions.hasSubscribers) decisions.publish({ id, line: describeDecision(decision) });
}
