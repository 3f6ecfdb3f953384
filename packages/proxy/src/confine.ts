import { closeSync } from "node:fs";
import {
  becomeUserWhoseChildrenDie,
  changeRootOfAllThreads,
  createMemoryFileSystem,
  denySystemCalls,
  limitFileSize,
} from "@kata-ts/linux";

/** The console's files are no larger, and records are smaller. */
const FILE_BYTES = 1024 * 1024;
/** IPv4 and IPv6 to ask for names, netlink to see a network change. */
const SOCKET_FAMILIES = [2, 10, 16];
const VSOCK_FAMILY = 40;

export interface Confinement {
  /** A user id that no other process has. */
  readonly user: number;
  /** The processes that this one started for its VM. */
  readonly children: readonly number[];
  /** It connects to its guest by the host's vsock. A filter cannot see to whose context id. */
  readonly overVsock: boolean;
}

/**
 * Takes from this process, for good, what it does not need to serve its guest. It keeps its descriptors, its network namespace,
 * and the right to end these processes, which end with it. It sees no file from then on, and makes none large.
 *
 * @throws LinuxError when the host refuses; the process is of no use then
 */
export async function confine({ user, children, overVsock }: Confinement): Promise<void> {
  const root = createMemoryFileSystem(4096);
  const path = `/proc/self/fd/${String(root)}`;
  await changeRootOfAllThreads(path);
  closeSync(root);
  limitFileSize(FILE_BYTES);
  becomeUserWhoseChildrenDie(user);
  const socketFamilies = overVsock ? [...SOCKET_FAMILIES, VSOCK_FAMILY] : SOCKET_FAMILIES;
  denySystemCalls({ socketFamilies, signalled: children });
}
