import { execFileSync } from "node:child_process";
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connected, connectTcp, listenTcp, openDatagrams, unshare } from "@kata-ts/linux";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { NetworkNamespace } from "../namespace.ts";
import { type EgressDecision, NatNetwork, type NatOptions, sweepNat } from "./index.ts";

/** The Internet of these tests: an address with a name server, and a server that says hello. */
const SERVER = "198.51.100.1";
const OTHER = "198.51.100.2";
/** The host's address there. */
const HOST = "203.0.113.1";

let directory = "";
let internet: NetworkNamespace;
const servers: (Server | DatagramSocket)[] = [];

function inside<T>(namespace: NetworkNamespace, body: () => T): T {
  return namespace.run(body);
}

function ip(...commands: readonly string[]): void {
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

function tables(): string {
  return execFileSync("nft", ["list", "tables"]).toString();
}

interface Opened extends AsyncDisposable {
  readonly pod: NetworkNamespace;
  readonly network: NatNetwork;
  readonly decisions: EgressDecision[];
  readonly warnings: string[];
}

async function open(options: Partial<NatOptions>): Promise<Opened> {
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
async function call({ pod }: Opened, address: string, port: number): Promise<string> {
  try {
    return await text(await connected(inside(pod, () => connectTcp(address, port))));
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

/** Packets are logged a moment after they are refused. */
async function decided({ decisions }: Opened, decision: EgressDecision): Promise<void> {
  await expect.poll(() => decisions).toContainEqual(decision);
}

/** A question as a guest asks it; the answer's code and addresses. */
async function resolve({ pod, network }: Opened, name: string, server = network.gateway, type = 1): Promise<string> {
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

describe("a network without preparation", { timeout: 60_000 }, () => {
  it("leads to the host's networks, and leaves nothing", async () => {
    const ended = await open({});
    {
      await using opened = ended;
      expect(opened.warnings).toEqual([expect.stringContaining("net.ipv4.ip_forward")]);
      expect(await call(opened, SERVER, 80)).toBe("hello from 203.0.113.1");
      expect(await resolve(opened, "example.org")).toBe(SERVER);
      expect(readFileSync(opened.network.resolvConf, "utf8")).toBe(`nameserver ${opened.network.gateway}\n`);
      expect(opened.decisions).toEqual([]);
    }
    expect(readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8")).toBe("0\n");
    await expect(ended.network.connect(80)).rejects.toMatchObject({ code: "KATA_NETWORK" });
    expect(readdirSync(join(directory, "leases"))).toEqual(["lock"]);
  });

  it("has a subnet of its own each, away from the host's routes", async () => {
    ip("route add 10.91.0.0/17 via 203.0.113.2");
    await using one = await open({});
    await using other = await open({});
    expect(one.network.address).not.toBe(other.network.address);
    for (const { network } of [one, other]) expect(network.address).toMatch(/^10\.91\.(?:12[89]|1[3-9]\d|2\d\d)\./);
    // Neither reaches the other.
    const uplink = other.network.address.replace(/\d+$/, (last) => String(Number(last) - 4));
    expect(await call(one, uplink, 80)).toBe("EHOSTUNREACH");
    ip("route del 10.91.0.0/17");
  });

  it("keeps the addresses of a guest that goes on in it, as often as one does, while another network has their subnet", async () => {
    await using first = await open({});
    const { link } = first.network;
    await using second = await open({ link });
    await using third = await open({ link, egress: { allow: [SERVER] } });
    for (const opened of [first, second, third]) {
      expect(opened.network.link).toEqual(link);
      expect(await call(opened, SERVER, 80)).toBe("hello from 203.0.113.1");
      expect(await resolve(opened, "host.example.org")).toBe(opened === third ? "3" : HOST);
    }
    expect(await call(third, OTHER, 80)).toBe("ECONNREFUSED");
  });

  it("that cannot be made for any reason is an error of the network: callers may do without", async () => {
    writeFileSync(join(directory, "file"), "");
    await expect(open({ leases: join(directory, "file/leases") })).rejects.toMatchObject({
      code: "KATA_NETWORK",
      message: expect.stringContaining("the network nat cannot be made: ENOTDIR") as string,
    });
  });

  it("names the chains of others that drop what it sends", async () => {
    execFileSync("nft", ["-f", "-"], {
      input: "add table ip filter\nadd chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }\n",
    });
    try {
      await using opened = await open({});
      expect(opened.warnings.join()).toContain("table ip filter, chain FORWARD");
    } finally {
      execFileSync("nft", ["delete", "table", "ip", "filter"]);
    }
  });

  it("takes back what a program has left that was killed", async () => {
    await using alive = await open({});
    const leases = join(directory, "leases");
    writeFileSync(join(leases, "10.91.0.8.lease"), "");
    writeFileSync(join(leases, "10.91.0.8.resolv.conf"), "");
    execFileSync("nft", ["add", "element", "ip", "kata-ts", "sandboxes", "{ 10.91.0.10 }"]);
    expect(await sweepNat(leases, true)).toEqual(["10.91.0.8/29"]);
    expect(readdirSync(leases)).toContain("10.91.0.8.lease");
    expect(await sweepNat(leases)).toEqual(["10.91.0.8/29"]);
    expect(await sweepNat(leases)).toEqual([]);
    expect(readdirSync(leases).filter((name) => name.startsWith("10.91.0.8."))).toEqual([]);
    expect(execFileSync("nft", ["list", "set", "ip", "kata-ts", "sandboxes"]).toString()).not.toContain("10.91.0.10");
    expect(await call(alive, SERVER, 80)).toContain("hello");
  });

  it("publishes ports for connections and for datagrams, and connects without publishing", async () => {
    const ports = [
      { host: 0, container: 80, protocol: "tcp", address: "127.0.0.1" },
      { host: 0, container: 7, protocol: "udp", address: "127.0.0.1" },
    ] as const;
    await using opened = await open({ egress: "none", ports });
    const { pod, network } = opened;
    await expect(network.connect(80)).rejects.toMatchObject({ code: "KATA_NETWORK" });
    const server = createServer((socket) => socket.end("from the guest"));
    server.listen({ fd: inside(pod, () => listenTcp("0.0.0.0", 80, 8)) });
    const echo = createSocket("udp4");
    echo.bind({ fd: inside(pod, () => openDatagrams({ address: "0.0.0.0", port: 7 })) });
    echo.on("message", (message, from) => {
      echo.send(message, from.port, from.address);
    });
    expect(await text(await network.connect(80))).toBe("from the guest");
    const [tcp, udp] = network.ports;
    expect(await text(await connected(connectTcp("127.0.0.1", tcp?.host ?? 0)))).toBe("from the guest");
    const client = createSocket("udp4");
    client.send("echo", udp?.host, "127.0.0.1");
    const [answer] = (await once(client, "message")) as [Buffer];
    expect(answer.toString()).toBe("echo");
    await expect(open({ ports: [{ ...ports[0], host: tcp?.host ?? 0 }] })).rejects.toMatchObject({
      code: "KATA_NETWORK",
      message: expect.stringContaining(`127.0.0.1:${String(tcp?.host)} is taken`) as string,
    });
    for (const each of [client, echo, server]) each.close();
  });
});

describe("what a guest may call", { timeout: 60_000 }, () => {
  it("is nothing, where that is asked for", async () => {
    await using opened = await open({ egress: "none" });
    expect(await call(opened, SERVER, 80)).toBe("ECONNREFUSED");
    expect(await resolve(opened, "example.org")).toBe("3");
    // Another resolver is no way out either.
    expect(await resolve(opened, "example.org", SERVER)).toBe("EHOSTUNREACH");
    await decided(opened, { verdict: "refused", protocol: "tcp", address: SERVER, port: 80 });
    await decided(opened, { verdict: "refused", protocol: "dns", name: "example.org" });
    await decided(opened, { verdict: "refused", protocol: "udp", address: SERVER, port: 53 });
  });

  it("is what names have been answered with, at their ports", async () => {
    await using opened = await open({ egress: { allow: ["*.example.org:80"] } });
    expect(await call(opened, SERVER, 80)).toBe("ECONNREFUSED"); // No name was asked for.
    expect(await resolve(opened, "example.org")).toBe("3"); // Not below itself.
    expect(await resolve(opened, "www.example.com")).toBe("3");
    expect(await call(opened, SERVER, 80)).toBe("ECONNREFUSED");
    expect(await resolve(opened, "WWW.example.org")).toBe(SERVER);
    expect(await call(opened, SERVER, 80)).toContain("hello");
    expect(await call(opened, SERVER, 81)).toBe("ECONNREFUSED");
    expect(await call(opened, OTHER, 80)).toBe("ECONNREFUSED");
    expect(await resolve(opened, "www.example.org", undefined, 28)).toBe("0");
    await decided(opened, { verdict: "allowed", protocol: "dns", name: "www.example.org" });
    await decided(opened, { verdict: "allowed", protocol: "tcp", address: SERVER, port: 80 });
  });

  it("is not the host by a name that another's server answers with its address", async () => {
    await using opened = await open({ egress: { allow: ["host.example.org:80"] } });
    const server = createServer((socket) => socket.end("hello from the host"));
    server.listen({ fd: listenTcp("0.0.0.0", 80, 8) });
    expect(await resolve(opened, "host.example.org")).toBe(HOST);
    expect(await call(opened, HOST, 80)).toBe("ECONNREFUSED");
    await using named = await open({ egress: { allow: [HOST] } });
    expect(await call(named, HOST, 80)).toBe("hello from the host");
    server.close();
  });

  it("is ranges, by addresses", async () => {
    await using opened = await open({ egress: { allow: ["198.51.100.2/31:80"] } });
    expect(await call(opened, OTHER, 80)).toContain("hello");
    expect(await call(opened, SERVER, 80)).toBe("ECONNREFUSED");
  });

  it("is nothing by a forged address, or by IPv6", async () => {
    await using opened = await open({ egress: { allow: [`${SERVER}:80`] } });
    const { pod, network, decisions } = opened;
    await resolve(opened, "example.org"); // From now on the pod knows where its gateway is.
    inside(pod, () => {
      execFileSync("ip", ["addr", "add", "192.0.2.77/32", "dev", "eth0"]);
      execFileSync("ip", ["-6", "addr", "add", "fe80::2/64", "dev", "eth0", "nodad"]);
      execFileSync("ip", ["-6", "route", "add", "default", "via", "fe80::1", "dev", "eth0"]);
    });
    const socket = createSocket("udp4").bind({
      fd: inside(pod, () => openDatagrams({ address: "192.0.2.77", port: 0 })),
    });
    socket.send("forged", 53, network.gateway);
    while (!decisions.some(({ protocol, address }) => protocol === "udp" && address === network.gateway)) {
      await new Promise((next) => setImmediate(next));
    }
    socket.close();
    expect(() =>
      inside(pod, () => execFileSync("python3", ["-c", CONNECT_IPV6], { stdio: ["ignore", "ignore", "pipe"] })),
    ).toThrow(/Errno (?:101|111|113|13)\b/);
  });
});

const CONNECT_IPV6 = "import socket; socket.create_connection(('2001:db8::1', 80), 5)";
