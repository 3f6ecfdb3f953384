import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { duplexPair } from "node:stream";
import { DnsTransport, readBytes, readDnsMessage, writeDnsMessage } from "@kata-ts/agent-protocol/network-streams";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DnsForwarder } from "./dns-forwarder.ts";

/** An address of the loopback where nobody else answers. */
const ADDRESS = "127.53.0.11";

async function askOverUdp(forwarder: DnsForwarder, query: string): Promise<string | undefined> {
  const [guest, host] = duplexPair();
  const served = forwarder.serve(host);
  guest.write(Buffer.of(DnsTransport.udp));
  writeDnsMessage(guest, Buffer.from(query));
  const answer = await readDnsMessage(guest);
  guest.end();
  guest.resume();
  await served;
  return answer?.toString();
}

describe("the forwarder of names", () => {
  const udp = createSocket("udp4");
  const tcp = createServer((socket: Socket) => socket.pipe(socket));

  beforeAll(async () => {
    udp.on("message", (query, from) => {
      if (query.toString() !== "silence") udp.send(`answer to ${query.toString()}`, from.port, from.address);
    });
    udp.bind(53, ADDRESS);
    tcp.listen(53, ADDRESS);
    await Promise.all([once(udp, "listening"), once(tcp, "listening")]);
  });

  afterAll(() => {
    udp.close();
    tcp.close();
  });

  it("asks over UDP and gives the one answer", async () => {
    expect(await askOverUdp(new DnsForwarder(ADDRESS), "web?")).toBe("answer to web?");
  });

  it("connects over TCP, and carries both ways", async () => {
    const [guest, host] = duplexPair();
    const served = new DnsForwarder(ADDRESS).serve(host);
    guest.write(Buffer.concat([Buffer.of(DnsTransport.tcp), Buffer.from("some bytes")]));
    expect((await readBytes(guest, 10))?.toString()).toBe("some bytes");
    guest.end();
    guest.resume();
    await served;
  });

  it("answers nobody while it has no resolver", async () => {
    const forwarder = new DnsForwarder();
    const [, early] = duplexPair();
    await forwarder.serve(early);
    expect(early.destroyed).toBe(true);
    forwarder.address = ADDRESS;
    expect(await askOverUdp(forwarder, "web?")).toBe("answer to web?");
  });

  it("ends a stream that asks for something else, and more streams than it has room for", async () => {
    const forwarder = new DnsForwarder(ADDRESS);
    const [odd, host] = duplexPair();
    odd.write("GET / HTTP/1.0");
    await forwarder.serve(host);
    expect(host.destroyed).toBe(true);

    const waiting = Array.from({ length: 160 }, () => duplexPair());
    const served = waiting.map(([, end]) => forwarder.serve(end));
    const [, tooMany] = duplexPair();
    await forwarder.serve(tooMany);
    expect(tooMany.destroyed).toBe(true);
    for (const [guest, end] of waiting) {
      guest.destroy();
      end.destroy();
    }
    await Promise.all(served);
  });
});
