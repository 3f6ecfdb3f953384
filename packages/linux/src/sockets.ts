import { closeSync } from "node:fs";
import { call } from "./native.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;

const SOCKET = "int socket(int domain, int type, int protocol)";

/** The file's name in a sockaddr_un, with the zero that ends it: unix(7). */
const MAX_PATH = 108;

/**
 * A unix socket that listens at a path, for a child to inherit. Close-on-exec in all others.
 *
 * @param path absolute, of at most 107 bytes, where nothing is yet
 * @param backlog connections that wait until somebody accepts them
 * @returns its descriptor, which is the caller's to close
 */
export function listenUnix(path: string, backlog: number): number {
  const address = addressOf(path);
  const fd = call(SOCKET, path, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  try {
    call("int bind(int fd, const void *address, uint32_t length)", path, fd, address, address.length);
    call("int listen(int fd, int backlog)", path, fd, backlog);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

/**
 * Connects to a unix socket on behalf of another program, which is given the descriptor: nothing is read from it here.
 *
 * @returns a descriptor that does not block, which is the caller's to close
 * @throws LinuxError ECONNREFUSED where nobody listens, EAGAIN where too many wait already; it waits for nobody
 */
export function connectUnix(path: string): number {
  const address = addressOf(path);
  const fd = call(SOCKET, path, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  try {
    call("int connect(int fd, const void *address, uint32_t length)", path, fd, address, address.length);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

function addressOf(path: string): Buffer {
  const address = Buffer.alloc(2 + MAX_PATH);
  address.writeUInt16LE(AF_UNIX);
  if (Buffer.byteLength(path) >= MAX_PATH) throw new RangeError(`${path}: too long for the name of a unix socket`);
  address.write(path, 2);
  return address;
}
