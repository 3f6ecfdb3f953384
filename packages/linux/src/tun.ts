import { closeSync, constants, openSync } from "node:fs";
import { zeroed } from "./abi.ts";
import { call } from "./native.ts";

const IOCTL = "int ioctl(int fd, unsigned long request, void *argument)";
const TUNSETIFF = 0x4004_54ca;
const TUNGETIFF = 0x8004_54d2;
const IFF_TAP = 0x0002;
const IFF_MULTI_QUEUE = 0x0100;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
/** IFNAMSIZ, with the zero at the end. */
const NAME_BYTES = 16;

export interface TapOptions {
  /** More than one: a device with as many queues. An existing device must be opened as it was made. */
  readonly queues: number;
  /** For an existing device: whether it was made for several queues. By default what the number of queues says. */
  readonly multiQueue?: boolean;
  /** Frames have a virtio-net header before them, as virtual machines want it: by default. */
  readonly hasHeader?: boolean;
}

/**
 * Opens the queues of a tap device in the calling thread's network namespace; one that does not exist is made, and goes
 * with its last descriptor.
 *
 * @returns one descriptor for each queue; the caller closes them
 * @throws LinuxError EBUSY when another process has the device open, EINVAL when it is of another kind
 */
export function openTap(name: string, options: TapOptions): number[] {
  const request = interfaceRequest(name);
  const { queues, multiQueue = queues > 1, hasHeader = true } = options;
  const flags = IFF_TAP | IFF_NO_PI | (hasHeader ? IFF_VNET_HDR : 0) | (multiQueue ? IFF_MULTI_QUEUE : 0);
  request.writeUInt16LE(flags, NAME_BYTES);
  return openQueues("/dev/net/tun", queues, (fd) => {
    call(IOCTL, `TUNSETIFF ${name}`, fd, TUNSETIFF, request);
  });
}

/**
 * Opens the queues of a macvtap device through its node.
 *
 * @param name what the device is called; another one's node is refused
 * @param index its interface index, which its node is named after
 */
export function openMacvtap(name: string, index: number, queues: number): number[] {
  const path = `/dev/tap${String(index)}`;
  return openQueues(path, queues, (fd) => {
    const request = interfaceRequest("");
    call(IOCTL, `TUNGETIFF ${path}`, fd, TUNGETIFF, request);
    const found = request.toString("latin1", 0, NAME_BYTES).replaceAll("\0", "");
    // Indexes are unique in a network namespace, and the nodes of all namespaces lie in one directory.
    if (found !== name) throw new Error(`${path} belongs to ${found}, not to ${name}`);
    request.fill(0, NAME_BYTES);
    request.writeUInt16LE(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, NAME_BYTES);
    call(IOCTL, `TUNSETIFF ${path}`, fd, TUNSETIFF, request);
  });
}

function openQueues(path: string, queues: number, prepare: (fd: number) => void): number[] {
  const opened: number[] = [];
  try {
    for (let queue = 0; queue < queues; queue++) {
      opened.push(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
      prepare(opened.at(-1) ?? -1);
    }
    return opened;
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  }
}

function interfaceRequest(name: string): Buffer {
  if (Buffer.byteLength(name) >= NAME_BYTES) throw new Error(`interface name "${name}" is longer than 15 bytes`);
  const request = zeroed("ifreq"); // The name, and a union of which the first two bytes are flags.
  request.write(name);
  return request;
}
