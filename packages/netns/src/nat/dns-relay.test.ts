import { execFileSync } from "node:child_process";
import { connected, connectTcp } from "@kata-ts/linux";
import { expect, it } from "vitest";
import { NetworkNamespace } from "../namespace.ts";
import { AnsweredAddresses } from "./answered-addresses.ts";
import { DECISIONS_AT_ONCE, DECISIONS_PER_SECOND } from "./decision-limit.ts";
import { DnsRelay } from "./dns-relay.ts";
import { framed, unframed } from "./dns-upstream.ts";

const ADDRESS = "127.0.0.1";
const QUERIES = 1000;
/** For the address of `a.b`. */
const QUERY = Buffer.from("123401000001000000000000016101620000010001", "hex");

it("a flood of questions for names is answered, and its decisions are thinned", { timeout: 30_000 }, async () => {
  using guest = NetworkNamespace.create();
  guest.run(() => execFileSync("ip", ["link", "set", "lo", "up"]));
  const names: (string | undefined)[] = [];
  const began = performance.now();
  const relay = new DnsRelay({
    namespace: guest.path,
    address: ADDRESS,
    rules: { names: [], ranges: [] },
    answered: new AnsweredAddresses(() => Promise.resolve()),
    resolvConf: "/nonexistent",
    onDecision: ({ name }) => names.push(name),
  });
  const client = await connected(guest.run(() => connectTcp(ADDRESS, 53)));
  client.write(Buffer.concat(Array.from({ length: QUERIES }, () => framed(QUERY))));
  let answers = 0;
  for await (const answer of unframed(client)) {
    expect(answer.readUInt16BE(2) & 0xf).toBe(3);
    answers += 1;
    if (answers === QUERIES) break;
  }
  relay.close();
  const most = DECISIONS_AT_ONCE + 1 + ((performance.now() - began) / 1000) * DECISIONS_PER_SECOND;
  expect(names.length).toBeGreaterThanOrEqual(DECISIONS_AT_ONCE);
  expect(names.length).toBeLessThan(most);
  expect(new Set(names)).toEqual(new Set(["a.b"]));
});
