import { engineSuite } from "./root/base-root.ts";

/** What containerd from 1.7 on says of a container that ended while it was not there, whatever the runtime. */
const FORGOTTEN = 255;

/**
 * What containerd may say of a container that ends about when it comes back: from 1.7 on it takes the shim of one that has
 * ended before for one that was left over.
 */
export function statusesAfterRestart(status: number): readonly number[] {
  return engineSuite() === undefined ? [status] : [status, FORGOTTEN];
}
