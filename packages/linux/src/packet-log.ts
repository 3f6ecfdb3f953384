import { closeSync } from "node:fs";
import type { Socket } from "node:net";
import { call } from "./native.ts";
import { openPollable } from "./pollable.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x8_0000;
const NETLINK_NETFILTER = 12;
const SOL_NETLINK = 270;
const NETLINK_NO_ENOBUFS = 5;

const HEADER_BYTES = 16; // struct nlmsghdr
const FAMILY_BYTES = 4; // struct nfgenmsg
const NLM_F_REQUEST = 1;
/** NFNL_SUBSYS_ULOG, with NFULNL_MSG_PACKET and NFULNL_MSG_CONFIG. */
const MSG_PACKET = 0x400;
const MSG_CONFIG = 0x401;
const CONFIG_COMMAND = 1;
const CONFIG_MODE = 2;
const CONFIG_THRESHOLD = 5;
const COMMAND_BIND = 1;
const COPY_PACKET = 2;
const ATTRIBUTE_PAYLOAD = 9;
const ATTRIBUTE_PREFIX = 10;
const ATTRIBUTE_TYPE = 0x3fff;

/** A packet that a rule of the kernel's packet filter has logged. */
export interface LoggedPacket {
  /** The rule's. */
  readonly prefix: string;
  /** From its network header on, cut off. Its sender has written it: everything in it may be a lie. */
  readonly payload: Buffer;
}

/**
 * Receives what rules of the calling thread's network namespace log to a group (`log group N` of nftables). Packets that come
 * faster than they are read are lost: rules have to limit their rate.
 *
 * @param group from 1 to 65535, which no other program of the namespace reads
 * @param bytes how much of each packet is kept
 * @returns what ends it, when it is destroyed
 */
export function openPacketLog(group: number, bytes: number, onPacket: (packet: LoggedPacket) => void): Socket {
  const name = `netlink log ${String(group)}`;
  const fd = call(
    "int socket(int domain, int type, int protocol)",
    name,
    ...[AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER],
  );
  const socket = openSocket(fd, name);
  socket.on("error", () => undefined); // It ends with its namespace.
  socket.on("data", (data: Buffer) => {
    for (const packet of readPacketLog(data)) onPacket(packet);
  });
  const mode = Buffer.alloc(6);
  mode.writeUInt32BE(bytes);
  mode.writeUInt8(COPY_PACKET, 4);
  socket.write(configuration(group, CONFIG_COMMAND, Buffer.of(COMMAND_BIND)));
  socket.write(configuration(group, CONFIG_MODE, mode));
  // Each at once: the kernel collects them for a second otherwise.
  socket.write(configuration(group, CONFIG_THRESHOLD, Buffer.of(0, 0, 0, 1)));
  return socket;
}

/** The descriptor is closed where it cannot be used. */
function openSocket(fd: number, name: string): Socket {
  try {
    const address = Buffer.alloc(12); // struct sockaddr_nl
    address.writeUInt16LE(AF_NETLINK, 0);
    call("int bind(int fd, void *address, uint32_t length)", name, fd, address, address.length);
    // Without it packets that were lost are an error of the next read, with which Node ends a stream.
    const on = Buffer.of(1, 0, 0, 0);
    const setOption = "int setsockopt(int fd, int level, int option, const void *value, uint32_t length)";
    call(setOption, name, fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, on, on.length);
    return openPollable(fd, { readable: true, writable: true });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function configuration(group: number, attribute: number, value: Buffer): Buffer {
  const message = Buffer.alloc(HEADER_BYTES + FAMILY_BYTES + 4 + Math.ceil(value.length / 4) * 4);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(MSG_CONFIG, 4);
  message.writeUInt16LE(NLM_F_REQUEST, 6);
  message.writeUInt16BE(group, HEADER_BYTES + 2);
  message.writeUInt16LE(4 + value.length, HEADER_BYTES + FAMILY_BYTES);
  message.writeUInt16LE(attribute, HEADER_BYTES + FAMILY_BYTES + 2);
  value.copy(message, HEADER_BYTES + FAMILY_BYTES + 4);
  return message;
}

/** The packets in messages of the kernel; those that are cut off are passed over. */
export function readPacketLog(messages: Buffer): LoggedPacket[] {
  const packets: LoggedPacket[] = [];
  for (let rest = messages; rest.length >= HEADER_BYTES; ) {
    const length = rest.readUInt32LE(0);
    if (length < HEADER_BYTES + FAMILY_BYTES || length > rest.length) break;
    if (rest.readUInt16LE(4) === MSG_PACKET) {
      const attributes = readAttributes(rest.subarray(HEADER_BYTES + FAMILY_BYTES, length));
      const prefix = attributes.get(ATTRIBUTE_PREFIX)?.toString("latin1").replace(/\0.*$/s, "") ?? "";
      packets.push({ prefix, payload: attributes.get(ATTRIBUTE_PAYLOAD) ?? Buffer.alloc(0) });
    }
    rest = rest.subarray(Math.ceil(length / 4) * 4);
  }
  return packets;
}

function readAttributes(bytes: Buffer): Map<number, Buffer> {
  const attributes: Map<number, Buffer> = new Map();
  for (let rest = bytes; rest.length >= 4; ) {
    const length = rest.readUInt16LE(0);
    if (length < 4 || length > rest.length) break;
    attributes.set(rest.readUInt16LE(2) & ATTRIBUTE_TYPE, rest.subarray(4, length));
    rest = rest.subarray(Math.ceil(length / 4) * 4);
  }
  return attributes;
}
