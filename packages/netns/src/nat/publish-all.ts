import type { PublishedPort, WantedPort } from "./published-ports.ts";

/**
 * Publishes the ports of the host that are asked for by their numbers first, then those that may be one of some, and at last those that may be
 * any: what has more to choose from could take the only one of another.
 *
 * @returns them as they are, in the order of `ports`
 */
export async function publishAll(
  ports: readonly WantedPort[],
  publish: (port: WantedPort) => Promise<PublishedPort>,
): Promise<PublishedPort[]> {
  const fewestFirst = [...ports.entries()].sort(([, a], [, b]) => choicesOf(a) - choicesOf(b));
  const published: PublishedPort[] = [];
  for (const [index, port] of fewestFirst) published[index] = await publish(port);
  return published;
}

const ANY = 65_536;

function choicesOf({ host, among }: WantedPort): number {
  return host === 0 ? (among?.length ?? ANY) : 1;
}
