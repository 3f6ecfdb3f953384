import { closeSync, fstatSync } from "node:fs";
import type { Socket } from "node:net";
import { call, LinuxError, syscall } from "./native.ts";
import { openPollable } from "./pollable.ts";
import { socketAddress } from "./sockets.ts";

const AF_UNSPEC = 0;
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
  const to = socketAddress(address, port);
  try {
    beginToConnect(fd, to, name);
    return openPollable(fd, { readable: true, writable: true });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Resolves once a stream of connectTcp is connected: the kernel holds back every write until then, also one of no bytes.
 *
 * @throws Error with the code that says why it is not, such as ECONNREFUSED, or that it was closed before; the stream is destroyed then
 */
export async function connected(socket: Socket): Promise<Socket> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: Error): void => {
      reject(error);
    };
    // A stream that is destroyed without an error says nothing.
    const onClose = (): void => {
      reject(new Error("the connection was closed before it was made"));
    };
    socket.once("error", onError);
    socket.once("close", onClose);
    if (socket.closed) onClose();
    socket.write("", (error) => {
      if (error instanceof Error) return; // The stream's error says why, and comes next.
      socket.off("error", onError);
      socket.off("close", onClose);
      resolve();
    });
  });
  return socket;
}

/**
 * Ends a TCP connection of any process as the other end's reset would: who waits for it or uses it gets ECONNRESET.
 *
 * @param descriptor the process's number for the socket
 * @param inode the socket's, as `/proc/PID/fd` and `/proc/net/tcp` have it: the number may lead to something else by now
 * @throws LinuxError ESRCH, EBADF where process or descriptor are gone, or lead to something else
 */
export function resetTcp(pid: number, descriptor: number, inode: number): void {
  const name = `descriptor ${String(descriptor)} of process ${String(pid)}`;
  const process = syscall("pidfd_open", "int pid, unsigned int flags", name, pid, 0);
  try {
    const socket = syscall("pidfd_getfd", "int pidfd, int fd, unsigned int flags", name, process, descriptor, 0);
    try {
      if (fstatSync(socket).ino !== inode) throw new LinuxError("pidfd_getfd", "EBADF", name);
      const nowhere = Buffer.alloc(16);
      nowhere.writeUInt16LE(AF_UNSPEC, 0);
      beginToConnect(socket, nowhere, name);
    } finally {
      closeSync(socket);
    }
  } finally {
    closeSync(process);
  }
}

function beginToConnect(fd: number, to: Buffer, name: string): void {
  try {
    call("int connect(int fd, const void *address, uint32_t length)", name, fd, to, to.length);
  } catch (error) {
    if (!(error instanceof LinuxError) || error.errno !== "EINPROGRESS") throw error;
  }
}
