import { type Duplex, duplexPair } from "node:stream";
import { askTime, CLOCK, DnsTransport, MAX_QUESTIONS, readBytes } from "@kata-ts/agent-protocol/network-streams";
import { describe, expect, it } from "vitest";
import { serveGuestStream } from "./guest-stream.ts";

describe("a stream that a guest opens", () => {
  const served: number[] = [];
  const dns = {
    serve: async (stream: Duplex): Promise<void> => {
      served.push((await readBytes(stream, 1))?.[0] ?? -1);
      stream.destroy();
    },
  };

  it("gets the time as often as it asks, up to a limit", async () => {
    const [guest, host] = duplexPair();
    let now = 1_700_000_000_000;
    let answers = 0;
    const over = serveGuestStream(host, dns, () => {
      answers += 1;
      return now;
    });
    expect(await askTime(guest)).toBe(1_700_000_000_000.5);
    now += 7;
    expect(await askTime(guest)).toBe(1_700_000_000_007.5);
    for (let asked = 2; asked < MAX_QUESTIONS; asked += 1) expect(await askTime(guest)).toBeDefined();
    guest.on("error", () => undefined);
    guest.write(Buffer.of(CLOCK));
    await over;
    expect([answers, host.destroyed]).toEqual([MAX_QUESTIONS, true]);
  });

  it("is the names' where it begins as one of theirs", async () => {
    const [guest, host] = duplexPair();
    const over = serveGuestStream(host, dns);
    guest.write(Buffer.of(DnsTransport.udp));
    await over;
    expect(served).toEqual([DnsTransport.udp]);
  });

  it("ends with nothing said", async () => {
    const [guest, host] = duplexPair();
    const over = serveGuestStream(host, dns);
    guest.end();
    await over;
    expect(host.destroyed).toBe(true);
  });
});
