import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { type LimitOptions, withinLimit } from "./limit.ts";
import { checkOptions, limitShape } from "./process-shape.ts";

/** What ends with the wait for it. */
export interface LimitedCall {
  readonly signal: AbortSignal;
}

/**
 * Does something within the caller's limits. A limit that is reached ends the wait: whether the work was done is not known then.
 *
 * @param what for the error: "`pause container web` took longer than 5 ms"
 * @throws KataError KATA_CONFIG for options that are none, KATA_TIMEOUT; the reason of an aborted signal
 */
export async function limited<T>(
  what: string,
  limits: LimitOptions,
  work: (call: LimitedCall) => Promise<T>,
): Promise<T> {
  checkOptions(limitShape, limits, what);
  return await withinLimit(what, limits, (signal) => work({ signal }));
}

/** As `limited`, of what only the guest's agent does. @throws KataError KATA_AGENT: "could not `pause container web`" */
export function askGuest<T>(what: string, limits: LimitOptions, work: (call: LimitedCall) => Promise<T>): Promise<T> {
  return limited(what, limits, (call) => wrapAgentError(what, work(call)));
}
