import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { PhysicalConnection } from "./connection.ts";
import { runBatch } from "./iproute.ts";
import { NetworkNamespace } from "./namespace.ts";
import { giveBackToHost } from "./physical.ts";
import { restoreLink } from "./saved-link.ts";

/** Drivers make their interface while they are bound; some load firmware before. */
const APPEAR_DEADLINE_MS = 5_000;

/** Where the host is: others in tests. */
export interface HostSide {
  readonly sysfs: string;
  /** Drivers make interfaces in the namespace of the host's process 1. */
  readonly namespace: string;
}

const HOST: HostSide = { sysfs: "/sys", namespace: "/proc/1/ns/net" };

/**
 * Gives a PCI device back to its driver, and the interface that the driver makes of it to the namespace that it was
 * taken from, as it was there. Without a namespace, which has ended meanwhile, it stays with the host, as every physical
 * interface of such a namespace.
 */
export async function returnPhysical(
  namespace: string | undefined,
  connection: PhysicalConnection,
  host: HostSide = HOST,
): Promise<void> {
  const { pciAddress, driver, link, saved } = connection;
  giveBackToHost(pciAddress, driver, host.sysfs);
  // One that never left its namespace is there, with all that it has.
  if (namespace === undefined || saved === undefined || driver === "" || (await isThere(namespace, link))) return;
  const name = await interfaceOf(pciAddress, host);
  if (name === undefined) return;
  // `ip` reads the name of a namespace, and `/proc/self/ns/net` leads it to its own.
  using pod = NetworkNamespace.open(namespace);
  await runBatch("ip", host.namespace, [
    `link set dev ${name} down`,
    `link set dev ${name} netns ${pod.path} name ${link}`,
  ]);
  await restoreLink(pod.path, connection, saved);
}

async function isThere(namespace: string, link: string): Promise<boolean> {
  return (await runBatch("ip", namespace, [`link show dev ${link}`], { force: true })) !== "";
}

async function interfaceOf(pciAddress: string, { sysfs }: HostSide): Promise<string | undefined> {
  const directory = join(sysfs, "bus/pci/devices", pciAddress, "net");
  const giveUpAt = performance.now() + APPEAR_DEADLINE_MS;
  for (;;) {
    const [name] = namesIn(directory);
    if (name !== undefined || performance.now() > giveUpAt) return name;
    await delay(20);
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
