import { engineSuite } from "./root/base-root.ts";

/** What containerd from 1.7 on says of a container that ended while it was not there, whatever the runtime. */
const FORGOTTEN = 255;

/**
 * The status of a container that ends while containerd does not run, as that tells it later: from 1.7 on it takes the shim
 * of such a container for one that was left over, and ends it.
 */
export function statusAfterRestart(status: number): number {
  return engineSuite() === undefined ? status : FORGOTTEN;
}
