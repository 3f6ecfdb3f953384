import { tracingChannel } from "node:diagnostics_channel";

/** An operation of the embedded API: the message of the tracing channel `kata-ts:operation`. */
export interface Operation {
  /** Such as `sandbox.create` or `container.exec`. */
  readonly name: string;
  readonly sandboxId: string;
  readonly containerId?: string;
  /** Once it has failed. */
  readonly error?: unknown;
}

const operations = tracingChannel<Operation>("kata-ts:operation");

/** Does what is to be done, and tells observers when it begins and how it ends; free when there are none. */
export function traced<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
  return operations.hasSubscribers ? operations.tracePromise(work, operation) : work();
}
