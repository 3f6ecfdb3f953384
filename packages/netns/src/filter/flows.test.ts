import { describe, expect, it } from "vitest";
import { listRules } from "../nat/nft.ts";
import { tableOf } from "./filter-rules.ts";
import { MAC, packet, ports, TCP } from "./frames.fixture.ts";
import {
  ALLOWED,
  type Ends,
  FORBIDDEN,
  fromMachine,
  fromOutside,
  open,
  POD,
  plans,
  pod,
  reached,
  received,
} from "./machine.fixture.ts";

const [FIN, SYN, RST, ACK] = [0x01, 0x02, 0x04, 0x10];

/** A caller's packet, with these flags. */
async function callerSends(place: Ends, flags: number, from = FORBIDDEN): Promise<void> {
  fromOutside(place, packet(TCP, ports(5000, 80, flags), { from, to: POD, mac: MAC }));
  await received(place);
}

async function machineSends(place: Ends, flags: number): Promise<void> {
  fromMachine(place, packet(TCP, ports(80, 5000, flags), { from: POD, to: FORBIDDEN }));
  await reached(place);
}

interface Entry {
  readonly elem: { readonly val: { readonly concat: readonly [caller: string] }; readonly expires: number };
}

/** The connections that are kept, and how long. */
async function kept(): Promise<string[]> {
  const answer = await pod.run(() => listRules(`list set ${tableOf(plans[0]?.index ?? -1)} flows4`));
  const { nftables } = JSON.parse(answer) as { readonly nftables: readonly { readonly set?: { elem?: Entry[] } }[] };
  const entries = nftables.flatMap(({ set }) => set?.elem ?? []);
  return entries.map(
    ({ elem: { val, expires } }) => `${val.concat[0]} ${expires <= 60 ? "for a minute" : "for hours"}`,
  );
}

const SHORT = [`${FORBIDDEN} for a minute`];
const LONG = [`${FORBIDDEN} for hours`];

describe("a connection from outside is kept", () => {
  it("for a minute until it is answered, for a day while it is open, and for a minute once either has closed it", async () => {
    const place = await open([`${ALLOWED}/32`]);
    await callerSends(place, SYN);
    expect(await kept()).toEqual(SHORT);
    await callerSends(place, ACK);
    expect(await kept()).toEqual(LONG);
    await callerSends(place, FIN | ACK);
    expect(await kept()).toEqual(SHORT);
    await callerSends(place, ACK); // Of the end that the machine has sent.
    expect(await kept()).toEqual(SHORT);
    await callerSends(place, SYN);
    await callerSends(place, ACK);
    expect(await kept(), "the same ports again").toEqual(LONG);
    await machineSends(place, RST);
    expect(await kept()).toEqual(SHORT);
    await callerSends(place, ACK); // It was on its way.
    expect(await kept()).toEqual(SHORT);
  });

  it("not where the machine may call it anyway: its own calls would fill the room", async () => {
    const place = await open([ALLOWED, `${FORBIDDEN}:5000`]);
    await callerSends(place, SYN | ACK, ALLOWED);
    await callerSends(place, SYN | ACK);
    expect(await kept()).toEqual([]);
    await machineSends(place, ACK);
  });
});
