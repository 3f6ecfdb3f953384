import { expect, it } from "vitest";
import { publishAll } from "./publish-all.ts";
import type { PublishedPort, WantedPort } from "./published-ports.ts";

const FREE = 40_000;

function port(host: number, container: number): PublishedPort {
  return { host, container, protocol: "tcp", address: "0.0.0.0" };
}

/** A host with few ports, each of which is published once. */
function host() {
  const taken: Set<number> = new Set();
  return async ({ among, ...wanted }: WantedPort): Promise<PublishedPort> => {
    const choices = wanted.host === 0 ? (among ?? [FREE, FREE + 1, FREE + 2]) : [wanted.host];
    const found = choices.find((each) => !taken.has(each));
    if (found === undefined) throw new Error(`${String(choices)} is taken`);
    taken.add(found);
    return Promise.resolve({ ...wanted, host: found });
  };
}

it("a port that may be any does not get the number of another, and all come back in their order", async () => {
  const publish = host();
  expect(await publishAll([port(0, 1), port(FREE, 2), port(0, 3)], publish)).toEqual([
    port(FREE + 1, 1),
    port(FREE, 2),
    port(FREE + 2, 3),
  ]);
});

it("a port that may be one of some does not get the only one of another", async () => {
  const oneOf = (container: number, ...among: number[]): WantedPort => ({ ...port(0, container), among });
  const wanted = [port(0, 1), oneOf(2, FREE, FREE + 1, FREE + 2), oneOf(3, FREE, FREE + 1), port(FREE, 4)];
  await expect(publishAll(wanted, host())).rejects.toThrow("is taken");
  expect(await publishAll(wanted.slice(1), host())).toEqual([port(FREE + 2, 2), port(FREE + 1, 3), port(FREE, 4)]);
});
