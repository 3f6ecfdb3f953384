import { constants, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { openPollable } from "@kata-ts/linux";
import { readOn } from "./read-port.ts";

const PORTS = "/sys/class/virtio-ports";
const PORT_DEADLINE_MS = 10_000;

/** The device of a virtio-serial port. There is no udev in the guest: sysfs knows its name. */
export async function findPort(name: string): Promise<string> {
  const giveUpAt = performance.now() + PORT_DEADLINE_MS;
  for (;;) {
    const device = lookUpPort(name);
    if (device !== undefined) return `/dev/${device}`;
    if (performance.now() > giveUpAt) throw new Error(`no virtio-serial port is named ${name}`);
    await delay(10);
  }
}

/** The original's machines have a console among their ports, which has no name. */
export function lookUpPort(name: string, directory: string = PORTS): string | undefined {
  return portsIn(directory).find((port) => nameOf(`${directory}/${port}`) === name);
}

function portsIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // The driver has not found its device yet.
  }
}

function nameOf(port: string): string | undefined {
  try {
    return readFileSync(`${port}/name`, "utf8").trim();
  } catch {
    return undefined;
  }
}

interface OpenedPort {
  readonly fd: number;
  /** Bytes that the host had written before we looked. */
  readonly head: Buffer;
}

/**
 * Opens the port, and waits for the host to have its end. Until then a read answers 0 (end of file) instead of blocking.
 * The port stays open meanwhile: closing it would drop what the host has sent in that moment.
 */
export async function openPort(device: string): Promise<Socket> {
  const fd = await openExclusive(device);
  for (let wait = 1; ; wait = Math.min(wait * 2, 20)) {
    const head = probe(fd);
    if (head !== undefined) return attach({ fd, head });
    await delay(wait);
  }
}

/** The port can be open once only: its last user may be about to close it. */
async function openExclusive(device: string): Promise<number> {
  for (;;) {
    try {
      return openSync(device, constants.O_RDWR | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
    }
    await delay(1);
  }
}

/** What the port holds now; undefined while the host has not connected. */
function probe(fd: number): Buffer | undefined {
  const buffer = Buffer.alloc(4096);
  try {
    const length = readSync(fd, buffer);
    return length === 0 ? undefined : buffer.subarray(0, length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return Buffer.alloc(0);
    throw error;
  }
}

function attach({ fd, head }: OpenedPort): Socket {
  const socket = openPollable(fd, { readable: true, writable: true });
  const push = socket.push.bind(socket);
  socket.push = (chunk: unknown) => push(chunk instanceof Buffer ? readOn(fd, chunk) : chunk);
  if (head.length > 0) socket.unshift(head);
  return socket;
}
