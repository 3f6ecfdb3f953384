import { closeSync, constants, openSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { zeroed } from "./abi.ts";
import { descriptorOf } from "./descriptor-passing.ts";
import { call, callInThread } from "./native.ts";
import { openPollable, serveDescriptor } from "./pollable.ts";

const AF_VSOCK = 40;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SO_VM_SOCKETS_CONNECT_TIMEOUT = 6;
const BACKLOG = 128;
/** Connections to all of this machine's own context ids. */
const ANY_CID = 0xffff_ffff;
const CONNECT_DEADLINE_MS = 1_000;

/** The context id by which a guest knows its host. */
export const HOST_CID = 2;

/** The end of a vsock connection: a machine's context id, and a port of it. */
export interface VsockAddress {
  readonly cid: number;
  readonly port: number;
}

/**
 * Connects to a port of a guest, or to one of the host. It waits in another thread.
 *
 * @returns a half-open stream
 * @throws LinuxError ENODEV where no machine has this context id, ECONNRESET where nothing listens at its port, ETIMEDOUT
 *   where it does not answer
 */
export async function connectVsock(to: VsockAddress, deadlineMs: number = CONNECT_DEADLINE_MS): Promise<Socket> {
  const name = nameOf(to);
  const fd = openSocket(name);
  try {
    const timeout = Buffer.alloc(16); // struct timeval
    timeout.writeBigInt64LE(BigInt(Math.trunc(deadlineMs / 1000)), 0);
    timeout.writeBigInt64LE(BigInt((deadlineMs % 1000) * 1000), 8);
    const option = "int setsockopt(int fd, int level, int name, const void *value, uint32_t length)";
    call(option, name, fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, timeout, timeout.length);
    const address = encodeAddress(to);
    await callInThread(
      "int connect(int fd, const void *address, uint32_t length)",
      name,
      ...[fd, address, address.length],
    );
    return openPollable(fd, { readable: true, writable: true });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Listens at a port of this machine's own context ids, also of one that the machine gets later. Connections are half-open.
 *
 * @throws LinuxError EADDRINUSE, or EAFNOSUPPORT where the kernel has no vsock
 */
export function listenVsock(port: number, onConnection: (socket: Socket) => void): Server {
  const address = encodeAddress({ cid: ANY_CID, port });
  const name = `vsock port ${String(port)}`;
  const fd = openSocket(name);
  try {
    call("int bind(int fd, const void *address, uint32_t length)", name, fd, address, address.length);
    call("int listen(int fd, int backlog)", name, fd, BACKLOG);
    return serveDescriptor(fd, onConnection);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Who is at the other end of a vsock connection. @throws LinuxError ENOTCONN when it has gone already */
export function vsockPeer(socket: Socket): VsockAddress {
  const address = zeroed("sockaddr_vm");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(address.length);
  const fd = descriptorOf(socket);
  call("int getpeername(int fd, void *address, void *length)", String(fd), fd, address, length);
  return { cid: address.readUInt32LE(8), port: address.readUInt32LE(4) };
}

const VHOST_VSOCK = "/dev/vhost-vsock";
const VHOST_VSOCK_SET_GUEST_CID = 0x4008_af60;

/**
 * Opens the host's end of a guest's vsock device, for QEMU to inherit, and gives it a context id. The kernel keeps the id
 * for this descriptor until the last copy of it is closed.
 *
 * @returns the descriptor, which is the caller's to close
 * @throws LinuxError EADDRINUSE when another guest has the id
 */
export function openVhostVsock(cid: number): number {
  const fd = openSync(VHOST_VSOCK, constants.O_RDWR);
  try {
    const value = Buffer.alloc(8);
    value.writeBigUInt64LE(BigInt(cid));
    const signature = "int ioctl(int fd, unsigned long request, void *argument)";
    call(signature, `VHOST_VSOCK_SET_GUEST_CID ${String(cid)}`, fd, VHOST_VSOCK_SET_GUEST_CID, value);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openSocket(name: string): number {
  const signature = "int socket(int domain, int type, int protocol)";
  return call(signature, name, AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

function encodeAddress({ cid, port }: VsockAddress): Buffer {
  const address = zeroed("sockaddr_vm");
  address.writeUInt16LE(AF_VSOCK, 0);
  address.writeUInt32LE(port, 4);
  address.writeUInt32LE(cid, 8);
  return address;
}

function nameOf({ cid, port }: VsockAddress): string {
  return `vsock ${String(cid)}:${String(port)}`;
}
