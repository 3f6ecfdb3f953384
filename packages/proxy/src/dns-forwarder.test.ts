import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplexPair } from "node:stream";
import { text } from "node:stream/consumers";
import { DnsTransport, readBytes, readDnsMessage, writeDnsMessage } from "@kata-ts/agent-protocol/network-streams";
import { NetworkNamespace } from "@kata-ts/netns";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DnsForwarder } from "./dns-forwarder.ts";

/** An address of the loopback where no other program answers. */
const ADDRESS = "127.53.0.11";

/** Answers at that address of the loopback, which it brings up, and says when it does. */
const RESOLVER = `
  require("node:child_process").execFileSync("ip", ["link", "set", "lo", "up"]);
  const answer = (query) => "answer from inside to " + query;
  const udp = require("node:dgram").createSocket("udp4");
  udp.on("message", (query, from) => udp.send(answer(query), from.port, from.address));
  const tcp = require("node:net").createServer((socket) => socket.on("data", (query) => socket.end(answer(query))));
  udp.bind(53, "${ADDRESS}", () => tcp.listen(53, "${ADDRESS}", () => console.log("ready")));`;

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

async function askOverTcp(forwarder: DnsForwarder, query: string): Promise<string> {
  const [guest, host] = duplexPair();
  const served = forwarder.serve(host);
  guest.end(Buffer.concat([Buffer.of(DnsTransport.tcp), Buffer.from(query)]));
  const answer = await text(guest);
  await served;
  return answer;
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
    expect(await askOverUdp(new DnsForwarder({ resolver: ADDRESS }), "web?")).toBe("answer to web?");
  });

  it("connects over TCP, and carries both ways", async () => {
    const [guest, host] = duplexPair();
    const served = new DnsForwarder({ resolver: ADDRESS }).serve(host);
    guest.write(Buffer.concat([Buffer.of(DnsTransport.tcp), Buffer.from("some bytes")]));
    expect((await readBytes(guest, 10))?.toString()).toBe("some bytes");
    guest.end();
    guest.resume();
    await served;
  });

  it("asks from the namespace that it is given, where another resolver has the same address", async () => {
    using namespace = NetworkNamespace.create();
    const resolver = namespace.run(() =>
      spawn(process.execPath, ["-e", RESOLVER], { stdio: ["ignore", "pipe", "inherit"] }),
    );
    try {
      await once(resolver.stdout, "data");
      const forwarder = new DnsForwarder({ resolver: ADDRESS });
      forwarder.namespace = namespace.path;
      expect(await askOverUdp(forwarder, "web?")).toBe("answer from inside to web?");
      expect(await askOverTcp(forwarder, "web?")).toBe("answer from inside to web?");
    } finally {
      const ended = once(resolver, "exit");
      resolver.kill("SIGKILL");
      await ended;
    }
    const forwarder = new DnsForwarder({ resolver: ADDRESS });
    forwarder.namespace = namespace.path;
    expect(await askOverTcp(forwarder, "web?")).toBe("");
  });

  it("answers no question while it has no resolver", async () => {
    const forwarder = new DnsForwarder();
    const [, early] = duplexPair();
    await forwarder.serve(early);
    expect(early.destroyed).toBe(true);
    forwarder.source = { resolver: ADDRESS };
    expect(await askOverUdp(forwarder, "web?")).toBe("answer to web?");
  });

  describe("with a container's resolv.conf", () => {
    let directory = "";
    let resolvConf = "";

    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), "forwarder-"));
      resolvConf = join(directory, "resolv.conf");
    });
    afterEach(() => {
      rmSync(directory, { recursive: true, force: true });
    });

    async function isRefused(forwarder: DnsForwarder): Promise<boolean> {
      const [guest, host] = duplexPair();
      const served = forwarder.serve(host);
      const refused = host.destroyed;
      guest.on("error", () => undefined).destroy();
      host.destroy();
      await served;
      return refused;
    }

    it("asks an engine's resolver while that is named", async () => {
      const forwarder = new DnsForwarder({ resolvConf });
      expect(await isRefused(forwarder)).toBe(true);
      writeFileSync(resolvConf, "nameserver 192.0.2.1\n");
      expect(await isRefused(forwarder)).toBe(true);
      writeFileSync(resolvConf, "nameserver 127.0.0.11\noptions ndots:0\n");
      expect(await isRefused(forwarder)).toBe(false);
      rmSync(directory, { recursive: true });
      expect(await isRefused(forwarder)).toBe(true);
    });

    it("reads what an engine writes to it, also when the file is out of reach", async () => {
      writeFileSync(resolvConf, "nameserver 127.0.0.11\n");
      const forwarder = new DnsForwarder({ resolvConf });
      forwarder.keepResolvConf();
      renameSync(directory, `${directory}-elsewhere`);
      const moved = join(`${directory}-elsewhere`, "resolv.conf");
      expect(await isRefused(forwarder)).toBe(false);
      writeFileSync(moved, "nameserver 192.0.2.1\n");
      expect(await isRefused(forwarder)).toBe(true);
      writeFileSync(moved, "nameserver 127.0.0.11\n");
      expect(await isRefused(forwarder)).toBe(false);
      rmSync(`${directory}-elsewhere`, { recursive: true });
    });

    it("has no resolver where there is no file to keep open", async () => {
      const forwarder = new DnsForwarder({ resolvConf });
      forwarder.keepResolvConf();
      expect(await isRefused(forwarder)).toBe(true);
    });
  });

  it("ends a stream that asks for something else, and more streams than it has room for", async () => {
    const forwarder = new DnsForwarder({ resolver: ADDRESS });
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
