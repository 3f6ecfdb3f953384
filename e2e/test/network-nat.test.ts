import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultSpec, type EgressDecision, type PublishedPort } from "@kata-ts/virtcontainers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { leases } from "../harness/front-host.ts";
import { busyboxRootfs, pythonRootfs } from "../harness/images.ts";
import { HOST, Internet, OTHER, SERVER } from "../harness/internet.ts";
import { TestNetwork } from "../harness/network.ts";
import { ROOT } from "../harness/paths.ts";
import { SandboxOwner } from "../harness/sandbox-owner.ts";

/** Root file systems of this file's own: containers get a resolv.conf in them. Each is one sandbox's at a time. */
let directory = "";
let rootfs = "";
let another = "";

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "nat-rootfs-"));
  [rootfs, another] = [join(directory, "rootfs"), join(directory, "another")];
  for (const copy of [rootfs, another])
    cpSync(await busyboxRootfs(), copy, { recursive: true, verbatimSymlinks: true });
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** Its wget with a deadline crashes in a busybox that is linked statically. */
const fetch = (address: string) =>
  ["sh", "-c", `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 20 ${address} 80 2>&1; true`] as const;
const lookUp = (name: string) => ["sh", "-c", `nslookup -type=a ${name} 2>&1; true`] as const;

describe("a sandbox with the network nat", () => {
  expectCleanHost();

  it("reaches the host's networks by names, is reached by its ports, and leaves nothing", async () => {
    // Of hosts that are gone some are left, as their namespaces are gone with them.
    const before = ["lock", ...leases()];
    await using network = new TestNetwork();
    using internet = await Internet.create(network);
    const ports = [
      { container: 8000 },
      { container: 8000, address: "0.0.0.0" },
      { container: 7, protocol: "udp", address: "0.0.0.0" },
    ];
    await using owner = await SandboxOwner.start(internet, { ports });

    expect(await owner.run(rootfs, ...lookUp("www.example.org"))).toContain(SERVER);
    expect(internet.questions).toContain("www.example.org");
    expect(await owner.run(rootfs, ...fetch(SERVER))).toContain(`hello ${HOST}\n`);
    expect(await owner.do("warnings")).toEqual([expect.stringContaining("net.ipv4.ip_forward")]);

    const late = owner.do("wait for http", { port: 8000, timeoutMs: 1 });
    await expect(late).rejects.toThrow("http://sandbox:8000/passwd is not ready after 1 ms");
    await owner.do("start", { container: { rootfs, args: ["httpd", "-f", "-p", "8000", "-h", "/etc"] } });
    await owner.do("wait for port", { port: 8000 });
    await owner.do("wait for http", { port: 8000 });
    expect(await owner.do("connect", { port: 8000 })).toContain("HTTP/1.");
    await expect(owner.do("connect", { port: 8001 })).rejects.toThrow("ECONNREFUSED");

    const [loopback, everywhere, datagrams] = (await owner.do("ports")) as PublishedPort[];
    expect(loopback).toMatchObject({ container: 8000, protocol: "tcp", address: "127.0.0.1" });
    expect(await owner.do("ask the host", { port: loopback?.host })).toContain("HTTP/1.");
    const outside = (port = 0) =>
      network.run(internet.beyond, "busybox", "wget", "-qO-", `http://${HOST}:${String(port)}/passwd`);
    expect((await outside(everywhere?.host)).stdout).toBe("root:x:0:0:root:/root:/bin/sh");
    expect((await outside(loopback?.host)).exitCode).toBe(1); // Of the host's loopback alone.

    const config = defaultSpec({ args: ["python3", "-c", ECHO_DATAGRAMS] });
    await owner.do("start", { container: { config, rootfs: await pythonRootfs() } });
    const echo = `import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
s.sendto(b"echoed", ("${HOST}", ${String(datagrams?.host)})); print(s.recv(100).decode())`;
    await expect
      .poll(async () => (await network.run(internet.beyond, "python3", "-c", echo)).stdout, POLL)
      .toBe("echoed");

    await owner.do("end");
    expect((await network.run(internet.host, "nft", "list", "tables")).stdout).toBe("");
    expect((await network.run(internet.host, "ip", "-o", "link")).stdout).not.toContain("kts-");
    expect(leases().filter((name) => !before.includes(name))).toEqual([]);
  });

  it("has another subnet than others, and what a killed program leaves is taken away by the next", async () => {
    await using network = new TestNetwork();
    using internet = await Internet.create(network);
    await using killed = await SandboxOwner.start(internet, { egress: "none" });
    expect(await killed.run(rootfs, ...lookUp("www.example.org"))).toContain("NXDOMAIN");
    expect(await killed.run(rootfs, ...fetch(SERVER))).toContain("refused");
    await killed.kill();
    await using owner = await SandboxOwner.start(internet, {});
    await using beside = await SandboxOwner.start(internet, {});
    const rules = (await network.run(internet.host, "nft", "list", "set", "ip", "kata-ts", "sandboxes")).stdout;
    expect(rules.match(/\d+\.\d+\.\d+\.\d+/g)).toHaveLength(2);
    const address = ["sh", "-c", "ip addr show eth0 | grep inet"];
    expect(await owner.run(rootfs, ...address)).not.toBe(await beside.run(another, ...address));
    expect(await owner.run(rootfs, ...fetch(SERVER))).toContain(`hello ${HOST}\n`);
    await beside.do("end");
    expect(await owner.run(rootfs, ...fetch(SERVER))).toContain(`hello ${HOST}\n`);
    await owner.do("end");
    expect((await network.run(internet.host, "nft", "list", "tables")).stdout).toBe("");
  });

  it("calls what it may call, whatever it tries", async () => {
    await using network = new TestNetwork();
    using internet = await Internet.create(network);
    await using owner = await SandboxOwner.start(internet, { egress: { allow: ["*.example.org:80"] } });
    const python = await pythonRootfs();
    const route = await owner.run(rootfs, "ip", "route");
    const gateway = /default via (\S+)/.exec(route)?.[1] ?? "";
    const escapes = join(ROOT, "e2e/harness/escapes.py");
    const spec = defaultSpec({
      args: ["python3", "/escapes.py", gateway, SERVER, OTHER, "www.example.org", "secret.example.com"],
    });
    const capabilities = [...(spec.process?.capabilities?.bounding ?? []), "CAP_NET_RAW", "CAP_NET_ADMIN"];
    const config = {
      ...spec,
      process: {
        ...spec.process,
        capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      },
      linux: { ...spec.linux, readonlyPaths: [] },
      mounts: [
        ...(spec.mounts ?? []),
        { destination: "/escapes.py", type: "bind", source: escapes, options: ["bind", "ro"] },
        // A guest's root can do all that with its own network.
        { destination: "/busybox", type: "bind", source: "/bin/busybox", options: ["bind", "ro"] },
      ],
    };
    const { stdout, stderr } = (await owner.do("run", { container: { config, rootfs: python } })) as {
      readonly stdout: string;
      readonly stderr: string;
    };
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      direct: "Connection refused",
      "forbidden name": "code 3",
      "forbidden name by TCP": "code 3",
      "other resolver": "No route to host",
      "other resolver by TCP": "Connection refused",
      raw: null,
      "raw, forged": null,
      "forged answer": null,
      "after forged answer": "Connection refused",
      IPv6: expect.stringMatching(/Permission denied|Network is unreachable|No route to host/) as string,
      "allowed name by TCP": SERVER,
      allowed: "HTTP/1.0 200 OK",
      "other port": "Connection refused",
      "raw to an allowed address": null,
    });
    // The raw packets were sent before what has arrived, and have not arrived themselves.
    expect(internet.datagrams).toEqual([]);
    expect(internet.questions).toEqual(["www.example.org"]);
    const decisions = (await owner.do("decisions")) as EgressDecision[];
    const has = (decision: EgressDecision): void => {
      expect(decisions).toContainEqual(decision);
    };
    has({ verdict: "refused", protocol: "dns", name: "secret.example.com" });
    has({ verdict: "refused", protocol: "tcp", address: SERVER, port: 80 });
    has({ verdict: "refused", protocol: "udp", address: SERVER, port: 9 });
    has({ verdict: "allowed", protocol: "dns", name: "www.example.org" });
    has({ verdict: "allowed", protocol: "tcp", address: SERVER, port: 80 });
    expect(await owner.run(rootfs, ...lookUp("www.example.org"))).toContain(SERVER);
    expect(readFileSync(join(rootfs, "etc/resolv.conf"), "utf8")).toBe("");
  });
});

const ECHO_DATAGRAMS = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 7))
while True: s.sendto(*s.recvfrom(100))`;

const POLL = { timeout: 30_000, interval: 500 };
