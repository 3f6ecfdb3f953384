import { closeSync } from "node:fs";
import { call } from "./native.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;

const SOCKET = "int socket(int domain, int type, int protocol)";

/** The file's name in a sockaddr_un, with the zero that ends it: unix(7). */
const MAX_PATH = 108;

/**
 * A unix socket that listens at a path, for a child to inherit. Close-on-exec in all others.
 *
 * @param path absolute, of at most 107 bytes, where nothing is yet
 * @param backlog how many connections may wait to be accepted
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
 * A TCP socket that listens at a port of 127.0.0.1 that the kernel chooses: see listenTcp.
 *
 * @param backlog how many connections may wait to be accepted
 * @returns its descriptor, which is the caller's to close
 */
export function listenLoopback(backlog: number): number {
  return listenTcp("127.0.0.1", 0, backlog);
}

/**
 * A TCP socket that listens at a port of an IPv4 address. It is made at once, and so in the network namespace that the caller
 * is in: Node's own looks the address up first, and makes its socket later.
 *
 * @param port 0: the kernel chooses one
 * @param backlog how many connections may wait to be accepted
 * @returns its descriptor, which is the caller's to close
 */
export function listenTcp(address: string, port: number, backlog: number): number {
  const name = `${address}:${String(port)}`;
  const bytes = socketAddress(address, port);
  const fd = call(SOCKET, name, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  try {
    call("int bind(int fd, const void *address, uint32_t length)", name, fd, bytes, bytes.length);
    call("int listen(int fd, int backlog)", name, fd, backlog);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

/**
 * A socket for datagrams of UDP over IPv4. It is made at once, and so in the network namespace that the caller is in.
 *
 * @param at the address and port that it is bound to; without it the kernel chooses when the socket first sends
 * @returns its descriptor, which is the caller's to close
 */
export function openDatagrams(at?: { readonly address: string; readonly port: number }): number {
  const fd = call(SOCKET, "UDP", AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (at === undefined) return fd;
  const bytes = socketAddress(at.address, at.port);
  try {
    const name = `UDP ${at.address}:${String(at.port)}`;
    call("int bind(int fd, const void *address, uint32_t length)", name, fd, bytes, bytes.length);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

/** A struct sockaddr_in: ip(7). */
export function socketAddress(address: string, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET);
  bytes.writeUInt16BE(port, 2);
  bytes.set(address.split(".").map(Number), 4);
  return bytes;
}

/** Two unix sockets that are connected with each other, close-on-exec; they are the caller's to close. */
export function socketPair(): readonly [number, number] {
  const ends = Buffer.alloc(8);
  const signature = "int socketpair(int domain, int type, int protocol, void *ends)";
  call(signature, "unix", AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
  return [ends.readInt32LE(0), ends.readInt32LE(4)];
}

/** A unix socket that listens under a name of the kernel's choice, which goes with it; the caller closes it. */
export function listeningUnix(): number {
  const family = Buffer.alloc(2); // An address without a name asks the kernel for one.
  family.writeUInt16LE(AF_UNIX);
  const fd = call(SOCKET, "unix", AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  try {
    call("int bind(int fd, const void *address, uint32_t length)", "unix", fd, family, family.length);
    call("int listen(int fd, int backlog)", "unix", fd, 0);
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
 * @throws LinuxError ECONNREFUSED where no process listens, EAGAIN where too many connections wait: this call never waits
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
