import type { PublishedPort } from "./published-ports.ts";

/**
 * Publishes the ports of the host that are asked for by their numbers before those that may have any, which could take one of them.
 *
 * @param ports host 0: any port
 * @returns them as they are, in the order of `ports`
 */
export async function publishAll(
  ports: readonly PublishedPort[],
  publish: (port: PublishedPort) => Promise<PublishedPort>,
): Promise<PublishedPort[]> {
  const anyLast = [...ports.entries()].sort(([, { host: a }], [, { host: b }]) => Number(a === 0) - Number(b === 0));
  const published: PublishedPort[] = [];
  for (const [index, port] of anyLast) published[index] = await publish(port);
  return published;
}
