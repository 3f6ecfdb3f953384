import { expect, it } from "vitest";
import { publishAll } from "./publish-all.ts";
import type { PublishedPort } from "./published-ports.ts";

const FREE = 40_000;

function port(host: number, container: number): PublishedPort {
  return { host, container, protocol: "tcp", address: "0.0.0.0" };
}

it("a port that may be any does not get the number of another, and all come back in their order", async () => {
  const taken: Set<number> = new Set();
  const publish = async (wanted: PublishedPort): Promise<PublishedPort> => {
    const host = wanted.host === 0 ? [FREE, FREE + 1, FREE + 2].find((each) => !taken.has(each)) : wanted.host;
    if (host === undefined || taken.has(host)) throw new Error(`${String(wanted.host)} is taken`);
    taken.add(host);
    return Promise.resolve({ ...wanted, host });
  };
  expect(await publishAll([port(0, 1), port(FREE, 2), port(0, 3)], publish)).toEqual([
    port(FREE + 1, 1),
    port(FREE, 2),
    port(FREE + 2, 3),
  ]);
});
