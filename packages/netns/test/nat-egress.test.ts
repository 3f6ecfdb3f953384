import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { listenTcp, openDatagrams } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { call, decided, HOST, inside, OTHER, open, resolve, SERVER } from "./nat-host.ts";

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
