import { chownSync, closeSync } from "node:fs";
import {
  becomeUserWhoseChildrenDie,
  changeRootOfAllThreads,
  createMemoryFileSystem,
  denySystemCalls,
  limitFileSize,
} from "@kata-ts/linux";
import type { SocketPlace } from "./vsock-device.ts";

/** The console's files are no larger, and records are smaller. */
const FILE_BYTES = 1024 * 1024;
/** IPv4 and IPv6 to ask for names, netlink to see a network change. */
const SOCKET_FAMILIES = [2, 10, 16];
const UNIX_FAMILY = 1;
const VSOCK_FAMILY = 40;

export interface Confinement {
  /** A user id that no other process has. */
  readonly user: number;
  /** The processes that this one started for its VM. */
  readonly children: readonly number[];
  /** It connects to its guest by the host's vsock. A filter cannot see to whose context id. */
  readonly overVsock: boolean;
  /** A directory with nothing but a socket that it connects to its guest by, which is its root directory then. */
  readonly place?: SocketPlace | undefined;
}

/**
 * Takes from this process, for good, what it does not need to serve its guest. It keeps its descriptors, its network namespace,
 * and the right to end these processes, which end with it. It sees no file from then on, but that socket, and makes none large.
 *
 * @throws LinuxError when the host refuses; the process is of no use then
 */
export async function confine({ user, children, overVsock, place }: Confinement): Promise<void> {
  const memory = place === undefined ? createMemoryFileSystem(4096) : undefined;
  // To connect takes the right to write to the socket; its directory stays root's.
  if (place !== undefined) chownSync(place.socket, user, user);
  const path = place?.directory ?? `/proc/self/fd/${String(memory)}`;
  await changeRootOfAllThreads(path);
  if (memory !== undefined) closeSync(memory);
  limitFileSize(FILE_BYTES);
  becomeUserWhoseChildrenDie(user);
  const more = [...(overVsock ? [VSOCK_FAMILY] : []), ...(place === undefined ? [] : [UNIX_FAMILY])];
  denySystemCalls({ socketFamilies: [...SOCKET_FAMILIES, ...more], signalled: children });
}
