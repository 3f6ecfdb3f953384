import { closeSync } from "node:fs";
import { call, LinuxError } from "./native.ts";

const SOCKET = "int socket(int domain, int type, int protocol)";
const GETSOCKOPT = "int getsockopt(int fd, int level, int name, void *value, void *length)";
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_NETNS_COOKIE = 71;
const COOKIE_BYTES = 8;

/**
 * The number that the kernel has given the calling thread's network namespace, which no other has until the host is booted anew:
 * the inode of a namespace that has ended is given to a later one.
 *
 * @returns undefined before Linux 5.14
 */
export function networkNamespaceCookie(): bigint | undefined {
  const fd = call(SOCKET, "of this network namespace", AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const cookie = Buffer.alloc(COOKIE_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(COOKIE_BYTES);
  try {
    call(GETSOCKOPT, "SO_NETNS_COOKIE", fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, length);
    return cookie.readBigUInt64LE(0);
  } catch (error) {
    if (error instanceof LinuxError && error.errno === "ENOPROTOOPT") return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
}
