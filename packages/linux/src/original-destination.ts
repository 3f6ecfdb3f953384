import { call } from "./native.ts";

const GETSOCKOPT = "int getsockopt(int fd, int level, int name, void *value, void *length)";
const SOL_IP = 0;
const SO_ORIGINAL_DST = 80;
/** `struct sockaddr_in`: family, port and address in network order, padding. */
const SOCKADDR_BYTES = 16;

/**
 * The TCP port that a connection was made to, before a rule of the host's packet filter redirected it here.
 *
 * @throws LinuxError ENOENT for one that was not redirected
 */
export function originalPort(fd: number): number {
  const address = Buffer.alloc(SOCKADDR_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(SOCKADDR_BYTES);
  call(GETSOCKOPT, `SO_ORIGINAL_DST ${String(fd)}`, fd, SOL_IP, SO_ORIGINAL_DST, address, length);
  return address.readUInt16BE(2);
}
