/** The newest version of the Task service that is served. Its messages are those of version 2. */
const NEWEST = 3;

/**
 * What containerd reads as the answer to `start`. Up to 1.6 that is a bare address. From 1.7 on containerd names the newest version of
 * the Task service that it speaks, and reads JSON; 1.7 refuses a newer version, so that nothing above the named one is answered.
 *
 * @param maxVersion the environment's MAX_SHIM_VERSION
 */
export function startAnswer(address: string, maxVersion: string | undefined): string {
  const newest = Number(maxVersion ?? 0);
  if (!Number.isInteger(newest) || newest < 2) return address;
  return JSON.stringify({ version: Math.min(newest, NEWEST), address, protocol: "ttrpc" });
}
