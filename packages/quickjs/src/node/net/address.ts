import { Buffer } from "../buffer.ts";
import { ERRORS } from "../errno.ts";
import { systemError } from "../errors.ts";
import { succeed, tryLibc } from "../libc.ts";
import { ipv4Bytes, ipv6Bytes, ipv6Text } from "./ip.ts";

export const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const LONGEST = 128;

export interface AddressInfo {
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
  readonly port: number;
}

/** struct sockaddr_un. @throws EINVAL for a path that is too long */
export function unixAddress(path: string): Buffer {
  const bytes = Buffer.from(path);
  if (bytes.length >= 108) throw systemError(ERRORS.EINVAL[0], "connect", { address: path });
  const address = Buffer.alloc(bytes.length + 3);
  address.writeUInt16LE(AF_UNIX);
  address.set(bytes, 2);
  // An abstract name has no end of its own.
  return path.startsWith("\0") ? address.subarray(0, -1) : address;
}

/** struct sockaddr_in or sockaddr_in6. @param host an address; names are not looked up, except `localhost` */
export function inetAddress(host: string, port: number): Buffer {
  const name = host === "localhost" ? "127.0.0.1" : host;
  const four = ipv4Bytes(name);
  const bytes = four ?? ipv6Bytes(name);
  if (bytes === undefined) {
    throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), {
      errno: -3008,
      code: "ENOTFOUND",
      syscall: "getaddrinfo",
      hostname: host,
    });
  }
  const address = Buffer.alloc(four === undefined ? 28 : 16);
  address.writeUInt16LE(four === undefined ? AF_INET6 : AF_INET);
  address.writeUInt16BE(port, 2);
  address.set(bytes, four === undefined ? 8 : 4);
  return address;
}

export function familyOf(address: Uint8Array): number {
  return (address[0] ?? 0) | ((address[1] ?? 0) << 8);
}

/** What a socket is called: a path, an address and a port, or undefined where it has none. */
export function nameOf(call: "getsockname" | "getpeername", fd: number): AddressInfo | string | undefined {
  const raw = Buffer.alloc(LONGEST);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(raw.length);
  if (tryLibc(call, fd, raw, length) < 0) return undefined;
  return decodeAddress(raw.subarray(0, length.readUInt32LE()));
}

export function decodeAddress(raw: Buffer): AddressInfo | string | undefined {
  const family = raw.length < 2 ? 0 : familyOf(raw);
  if (family === AF_UNIX) {
    const end = raw.indexOf(0, 2);
    return raw.toString("utf8", 2, end === -1 || raw[2] === 0 ? raw.length : end);
  }
  if (family === AF_INET) {
    return { address: Array.from(raw.subarray(4, 8)).join("."), family: "IPv4", port: raw.readUInt16BE(2) };
  }
  if (family === AF_INET6) return { address: ipv6Text(raw.subarray(8, 24)), family: "IPv6", port: raw.readUInt16BE(2) };
  return undefined;
}

const SOL_SOCKET = 1;
const SO_ERROR = 4;

/** An error that has come meanwhile, 0 without one. */
export function pendingError(fd: number): number {
  const value = Buffer.alloc(4);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(4);
  succeed(tryLibc("getsockopt", fd, SOL_SOCKET, SO_ERROR, value, length), "getsockopt");
  return value.readInt32LE();
}

export function setOption(fd: number, level: number, name: number, value: number): number {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return tryLibc("setsockopt", fd, level, name, bytes, bytes.length);
}
