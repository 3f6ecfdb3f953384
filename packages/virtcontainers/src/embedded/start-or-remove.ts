import { KataError } from "../errors.ts";
import type { Container } from "./container.ts";
import { type LimitOptions, takeBack } from "./limit.ts";
import type { RunningContainer } from "./running-container.ts";

/**
 * Starts a container, which is removed where that fails. A guest that has not answered within the limits is not waited for then: it may
 * not answer the removal either.
 *
 * @throws as Container.start
 */
export async function startOrRemove(container: Container, limits: LimitOptions): Promise<RunningContainer> {
  try {
    return await container.start(limits);
  } catch (error) {
    const removed = takeBack(`container ${container.id}`, container);
    const isLate = limits.signal?.aborted === true || (error instanceof KataError && error.code === "KATA_TIMEOUT");
    if (!isLate) await removed;
    throw error;
  }
}
