import type { Socket } from "node:net";
import { call } from "./native.ts";
import { openPollable } from "./pollable.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x8_0000;

/** Subjects of the kernel's notifications, with the netlink protocol and the groups that carry them. */
const EVENTS: Readonly<Record<KernelEvents, { protocol: number; groups: number }>> = {
  /** Links, addresses and routes of the calling thread's network namespace: NETLINK_ROUTE. */
  network: { protocol: 0, groups: 0x1 | 0x10 | 0x40 | 0x100 | 0x400 },
  /** Devices that come and go: NETLINK_KOBJECT_UEVENT. */
  devices: { protocol: 15, groups: 0x1 },
};

/** Of links, addresses and routes; or of devices that come and go. */
export type KernelEvents = "network" | "devices";

/**
 * A stream of the kernel's notifications about devices or about the network. Messages are not parsed: they are the sign to
 * look again. It ends with an error (ENOBUFS) when they came faster than they were read: then look, and open another.
 */
export function openKernelEvents(kind: KernelEvents): Socket {
  const { protocol, groups } = EVENTS[kind];
  const fd = call(
    "int socket(int domain, int type, int protocol)",
    "netlink",
    AF_NETLINK,
    SOCK_RAW | SOCK_CLOEXEC,
    protocol,
  );
  const address = Buffer.alloc(12); // struct sockaddr_nl
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(groups, 8);
  call("int bind(int fd, void *address, uint32_t length)", `netlink ${kind}`, fd, address, address.length);
  return openPollable(fd, { readable: true, writable: false });
}
