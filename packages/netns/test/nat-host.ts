import { execFileSync } from "node:child_process";
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connected, connectTcp, listenTcp, openDatagrams, unshare } from "@kata-ts/linux";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { NetworkNamespace } from "../src/namespace.ts";
import { type EgressDecision, NatNetwork, type NatOptions } from "../src/nat/index.ts";

/** The Internet of these tests: an address with a name server, and a server that says hello. */
export const SERVER = "198.51.100.1";
export const OTHER = "198.51.100.2";
/** The host's address there. */
export const HOST = "203.0.113.1";

export let directory = "";
let internet: NetworkNamespace;
const servers: (Server | DatagramSocket)[] = [];

export function inside<T>(namespace: NetworkNamespace, body: () => T): T {
  return namespace.run(body);
}

export function ip(...commands: readonly string[]): void {
  execFileSync("ip", ["-batch", "-"], { input: commands.join("\n") });
}

/** Answers every question with the server's address, or names that begin with `host` with the host's, for a lifetime of 60 seconds. */
function nameServer(): DatagramSocket {
  const socket = createSocket("udp4");
  socket.bind({ fd: inside(internet, () => openDatagrams({ address: SERVER, port: 53 })) });
  socket.on("message", (query, from) => {
    const end = query.indexOf(0, 12) + 5;
    const answer = Buffer.concat([
      query.subarray(0, end),
      Buffer.from("c00c00010001000000 3c0004".replace(" ", ""), "hex"),
    ]);
    answer.writeUInt16BE(0x8180, 2);
    answer.writeUInt16BE(1, 6);
    answer.fill(0, 8, 12);
    const address = query.includes("host") ? HOST : SERVER;
    socket.send(Buffer.concat([answer, Buffer.from(address.split(".").map(Number))]), from.port, from.address);
  });
  return socket;
}

function hello(address: string, port: number): Server {
  const server = createServer((socket) => socket.end(`hello from ${String(socket.remoteAddress)}`));
  return server.listen({ fd: inside(internet, () => listenTcp(address, port, 8)) });
}

beforeAll(() => {
  unshare("net"); // This worker's thread has a host of its own.
  internet = NetworkNamespace.create();
  ip(
    "link set lo up",
    `link add host0 type veth peer name net0 netns ${internet.path}`,
    `addr add ${HOST}/24 dev host0`,
    "link set host0 up",
  );
  inside(internet, () => {
    ip("link set lo up", "addr add 203.0.113.2/24 dev net0", "link set net0 up");
    ip(`addr add ${SERVER}/32 dev lo`, `addr add ${OTHER}/32 dev lo`);
  });
  ip("route add default via 203.0.113.2");
  servers.push(nameServer(), hello(SERVER, 80), hello(SERVER, 81), hello(OTHER, 80));
});

afterAll(() => {
  for (const server of servers) server.close();
  internet[Symbol.dispose]();
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nat-"));
  writeFileSync(join(directory, "resolv.conf"), `nameserver ${SERVER}\n`);
});

afterEach(() => {
  expect(tables()).toBe("");
  expect(execFileSync("ip", ["-o", "link"]).toString()).not.toContain("kts-");
  rmSync(directory, { recursive: true });
});

export function tables(): string {
  return execFileSync("nft", ["list", "tables"]).toString();
}

export interface Opened extends AsyncDisposable {
  readonly pod: NetworkNamespace;
  readonly network: NatNetwork;
  readonly decisions: EgressDecision[];
  readonly warnings: string[];
}

export async function open(options: Partial<NatOptions>): Promise<Opened> {
  const pod = NetworkNamespace.create();
  const decisions: EgressDecision[] = [];
  const warnings: string[] = [];
  const network = await NatNetwork.create(pod, {
    egress: "all",
    ports: [],
    warn: (message) => warnings.push(message),
    onDecision: (decision) => decisions.push(decision),
    leases: join(directory, "leases"),
    resolvConf: join(directory, "resolv.conf"),
    ...options,
  });
  return {
    pod,
    network,
    decisions,
    warnings,
    [Symbol.asyncDispose]: async () => {
      await network[Symbol.asyncDispose]();
      pod[Symbol.dispose]();
    },
  };
}

/** What a guest reads from a server; the error's code where it cannot. */
export async function call({ pod }: Opened, address: string, port: number): Promise<string> {
  try {
    return await text(await connected(inside(pod, () => connectTcp(address, port))));
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

/** Packets are logged a moment after they are refused. */
export async function decided({ decisions }: Opened, decision: EgressDecision): Promise<void> {
  await expect.poll(() => decisions).toContainEqual(decision);
}

/** A question as a guest asks it; the answer's code and addresses. */
export async function resolve(
  { pod, network }: Opened,
  name: string,
  server = network.gateway,
  type = 1,
): Promise<string> {
  const labels = name.split(".").map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  const query = Buffer.concat([Buffer.from("123401000001000000000000", "hex"), ...labels, Buffer.of(0, 0, type, 0, 1)]);
  const socket = createSocket("udp4").bind({ fd: inside(pod, () => openDatagrams()) });
  socket.connect(53, server);
  await once(socket, "connect");
  socket.send(query);
  try {
    const [answer] = (await once(socket, "message")) as [Buffer];
    expect(answer.readUInt16BE(0)).toBe(0x1234);
    const code = String(answer.readUInt16BE(2) & 0xf);
    return answer.readUInt16BE(6) === 0 ? code : answer.subarray(-4).join(".");
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  } finally {
    socket.close();
  }
}
