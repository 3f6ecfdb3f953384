import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connected, connectTcp, listenTcp, openDatagrams } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { sweepNat } from "../src/nat/index.ts";
import { call, directory, HOST, inside, ip, OTHER, open, resolve, SERVER } from "./nat-host.ts";

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
