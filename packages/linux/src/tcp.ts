import { closeSync } from "node:fs";
import type { Socket } from "node:net";
import { call, LinuxError } from "./native.ts";
import { openPollable } from "./pollable.ts";

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;

/**
 * Connects to a port over IPv4. The socket is made at once, and so in the network namespace that the caller is in: Node's own
 * looks the address up first, and makes its socket later.
 *
 * @param address such as `127.0.0.11`
 * @returns a half-open stream, which may be written to before it is connected; that it cannot be is its error
 */
export function connectTcp(address: string, port: number): Socket {
  const name = `${address}:${String(port)}`;
  const fd = call(
    "int socket(int domain, int type, int protocol)",
    name,
    ...[AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0],
  );
  const to = Buffer.alloc(16); // struct sockaddr_in
  to.writeUInt16LE(AF_INET);
  to.writeUInt16BE(port, 2);
  to.set(address.split(".").map(Number), 4);
  try {
    beginToConnect(fd, to, name);
    return openPollable(fd, { readable: true, writable: true });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function beginToConnect(fd: number, to: Buffer, name: string): void {
  try {
    call("int connect(int fd, const void *address, uint32_t length)", name, fd, to, to.length);
  } catch (error) {
    if (!(error instanceof LinuxError) || error.errno !== "EINPROGRESS") throw error;
  }
}
