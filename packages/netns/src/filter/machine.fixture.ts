import { readSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach } from "vitest";
import type { OpenConnections } from "../connect.ts";
import type { Connection } from "../connection.ts";
import { connect, NetworkNamespace, planConnections, runBatch, scanNamespace } from "../index.ts";
import { MAC, packet, ports, UDP } from "./frames.fixture.ts";

export const POD = "10.3.0.2";
export const ALLOWED = "10.3.0.9";
export const FORBIDDEN = "10.4.0.9";
export const POD6 = "fd00:3::2";
export const ALLOWED6 = "fd00:3::9";
export const FORBIDDEN6 = "fd00:4::9";
/** QEMU's header of a frame, without offloads: the far tap has it. */
const VNET_HEADER = Buffer.alloc(10);

export let pod: NetworkNamespace;
let world: NetworkNamespace;
let taps: OpenConnections[] = [];
/** How the pod's interface is connected. */
export let plans: Connection[] = [];

/** A machine's tap, and one at the far end, which has everything that comes out. */
export interface Ends {
  readonly machine: number;
  readonly outside: number;
}

/** @param addresses the machine's, where they are not the interface's */
export async function open(egress: readonly string[], addresses?: readonly string[]): Promise<Ends> {
  plans = await planFor(pod, egress, addresses);
  taps = [await connect(pod.path, plans), await connect(world.path, await planFor(world, undefined))];
  const [machine = -1, outside = -1] = taps.map(({ descriptors }) => descriptors[0]?.[0] ?? -1);
  return { machine, outside };
}

export async function planFor(
  namespace: NetworkNamespace,
  egress: readonly string[] | undefined,
  addresses?: readonly string[],
): Promise<Connection[]> {
  const { endpoints, links } = await scanNamespace(namespace.path);
  const taken = links.map(({ name }) => name);
  return await planConnections(namespace.path, endpoints, { model: "tcfilter", queues: 1, taken, egress, addresses });
}

beforeEach(async () => {
  pod = NetworkNamespace.create();
  world = NetworkNamespace.create();
  await runBatch("ip", pod.path, [
    `link add eth0 address ${MAC} type veth peer name far0 netns ${world.path}`,
    "link set dev eth0 addrgenmode none",
    `addr add ${POD}/24 dev eth0`,
    `addr add ${POD6}/64 dev eth0 nodad`,
    "link set dev lo up",
    "link set dev eth0 up",
  ]);
  await runBatch("ip", world.path, [
    "link set dev far0 addrgenmode none",
    "addr add 10.3.0.1/24 dev far0",
    "link set dev far0 up",
  ]);
});

afterEach(() => {
  for (const each of taps.splice(0)) each[Symbol.dispose]();
  pod[Symbol.dispose]();
  world[Symbol.dispose]();
});

export function fromMachine({ machine }: Ends, frame: Buffer): void {
  writeSync(machine, frame);
}

export function fromOutside({ outside }: Ends, frame: Buffer): void {
  writeSync(outside, Buffer.concat([VNET_HEADER, frame]));
}

/** What came out of the pod by now. @param last a frame that passes: it comes after all of them */
export async function reached(
  ends: Ends,
  last: Buffer = packet(UDP, ports(1, 1), { from: POD, to: ALLOWED }),
): Promise<string[]> {
  fromMachine(ends, last);
  return await until(ends.outside, VNET_HEADER.length, last);
}

/** What the machine was sent by now. */
export async function received(ends: Ends): Promise<string[]> {
  const last = packet(UDP, ports(1, 1), { from: ALLOWED, to: POD, mac: MAC });
  fromOutside(ends, last);
  return await until(ends.machine, 0, last);
}

async function until(tap: number, headerLength: number, last: Buffer): Promise<string[]> {
  const found: string[] = [];
  const buffer = Buffer.alloc(2048);
  for (;;) {
    const size = tryRead(tap, buffer);
    if (size === undefined) await setImmediate();
    else {
      const frame = buffer.subarray(headerLength, size);
      if (frame.equals(last)) return found;
      found.push(frame.toString("hex"));
    }
  }
}

function tryRead(fd: number, buffer: Buffer): number | undefined {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined;
    throw error;
  }
}
