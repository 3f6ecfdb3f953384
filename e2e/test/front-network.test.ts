import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { listenTcp } from "@kata-ts/linux";
import { inNetworkNamespace } from "@kata-ts/netns";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { ociArchive } from "../harness/engines/oci-images.ts";
import { FrontHost } from "../harness/front-host.ts";
import { aptRootfs, pythonRootfs } from "../harness/images.ts";
import { HOST, OTHER, SERVER } from "../harness/internet.ts";

/** Its wget with a deadline crashes in a busybox that is linked statically. */
const FETCH = (address: string, port = 80): string =>
  `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 20 ${address} ${String(port)} 2>&1 | tail -n 1`;
const POLL = { timeout: 60_000, interval: 200 };

/** A repository of Debian packages with one: a program that says hello. @returns its directory */
async function repository(directory: string): Promise<string> {
  const [repo, tree] = [join(directory, "repo"), join(directory, "package")];
  for (const path of [repo, join(tree, "DEBIAN"), join(tree, "usr/bin")]) mkdirSync(path, { recursive: true });
  const control = {
    Package: "hello-kata",
    Version: "1",
    Architecture: "all",
    Maintainer: "a <a@b.c>",
    Description: "x",
  };
  const lines = Object.entries(control).map(([name, value]) => `${name}: ${value}\n`);
  writeFileSync(join(tree, "DEBIAN/control"), lines.join(""));
  writeFileSync(join(tree, "usr/bin/hello-kata"), "#!/bin/sh\necho installed\n", { mode: 0o755 });
  const deb = join(repo, "hello.deb");
  await runCommand("dpkg-deb", ["--build", "--root-owner-group", tree, deb]);
  const sum = (await runCommand("sha256sum", [deb])).stdout.slice(0, 64);
  const size = (await runCommand("stat", ["-c", "%s", deb])).stdout;
  writeFileSync(join(repo, "Packages"), [...lines, `Filename: ./hello.deb\nSize: ${size}\nSHA256: ${sum}\n`].join(""));
  return repo;
}

/** Answers by HTTP at port 8000, and echoes datagrams at port 7. */
const SERVE = `import http.server, socket, threading
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")
threading.Thread(target=http.server.HTTPServer(("", 8000), Hello).serve_forever).start()
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.bind(("", 7))
while True: echo.sendto(*echo.recvfrom(100))`;

describe("the network of kata run", () => {
  expectCleanHost();

  it("is there by default: names, its own name and localhost, pings and packages, for every user", async () => {
    await using host = await FrontHost.create();
    await host.serve(await repository(host.kata.directory), 8080);
    const image = { name: "debian", tag: "12", rootfs: await aptRootfs(), command: ["bash"] };
    const archive = await ociArchive(host.kata.directory, image);
    const script = [
      "set -e",
      "hostname; getent ahostsv4 own | head -n 1; getent hosts localhost; cat /etc/resolv.conf",
      `getent ahostsv4 www | head -n 1`,
      `for target in ${SERVER} localhost own; do ping -c 1 -q $target | grep received; done`,
      "echo 'deb [trusted=yes] http://deb.example.org:8080/ ./' > /etc/apt/sources.list",
      "export PATH=$PATH:/usr/sbin:/sbin",
      "apt-get -qq update; apt-get -qq install hello-kata > /dev/null; hello-kata",
    ].join("\n");
    const shown = await host.run("run", "--name", "own", archive, "bash", "-c", script);
    expect(shown).toMatchObject({ exitCode: 0, stderr: "" });
    const [name, address = "", localhost, ...rest] = shown.stdout.split("\n");
    expect([name, localhost]).toEqual(["own", expect.stringMatching(/^(::1|127\.0\.0\.1) +localhost/)]);
    expect(address).toMatch(/^(10\.91|172\.29|192\.168)\.\d+\.\d+ +STREAM own/);
    const received = "1 packets transmitted, 1 received, 0% packet loss";
    expect(rest).toEqual([
      "search example.org",
      expect.stringMatching(/^nameserver (10\.91|172\.29|192\.168)\./),
      expect.stringMatching(new RegExp(`^${SERVER} +STREAM www`)),
      ...[1, 2, 3].map(() => expect.stringContaining(received) as string),
      "installed",
    ]);

    const user = ["-u", "www-data", archive, "bash", "-c", `id -un; id -Gn; ping -c 1 -q ${SERVER} | grep received`];
    const asUser = await host.run("run", ...user);
    expect(asUser).toMatchObject({ exitCode: 0, stderr: "" });
    expect(asUser.stdout.split("\n")).toEqual(["www-data", "www-data adm", expect.stringContaining(received)]);
    expect(await host.networks()).toEqual([]);
  });

  it("of a detached container is kept by one process, publishes ports, and ends with it", async () => {
    await using host = await FrontHost.create();
    const rootfs = await host.rootfs();
    const ranges = ["-p", "127.0.0.1:8080-8085:8000", "-p", "9000-9001:9000-9001"];
    const web = ["-d", "--name", "web", ...ranges, "-p", "8080:8000", "-p", "127.0.0.1::7/udp", await pythonRootfs()];
    expect(await host.run("run", ...web, "python3", "-c", SERVE)).toMatchObject({
      exitCode: 0,
      stdout: "web",
      stderr: "",
    });
    expect(host.keepers()).toHaveLength(1);
    const outside = (port: number) =>
      host.network.run(host.internet.beyond, "busybox", "wget", "-qO-", `http://${HOST}:${String(port)}/`);
    await expect.poll(async () => (await outside(8080)).stdout, POLL).toBe("hello");
    // Of the range, 8080 is taken.
    for (const port of [8080, 8081]) {
      const shown = await host.do("busybox", "wget", "-qO-", `http://127.0.0.1:${String(port)}/`);
      expect(shown).toMatchObject({ exitCode: 0, stdout: "hello", stderr: "" });
    }

    const ports = (await host.run("port", "web")).stdout;
    const [, any = ""] = /^8000\/tcp -> 0\.0\.0\.0:8080\n7\/udp -> 127\.0\.0\.1:(\d+)$/m.exec(ports) ?? [];
    expect((await host.run("port", "web", "7/udp")).stdout).toBe(`127.0.0.1:${any}`);
    expect((await host.run("port", "web", "8000")).stdout).toBe("127.0.0.1:8081\n0.0.0.0:8080");
    expect(await host.run("port", "web", "1")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("1/tcp") as string,
    });
    expect((await host.run("ps")).stdout).toContain(
      `0.0.0.0:9000-9001->9000-9001/tcp, 127.0.0.1:${any}->7/udp, 0.0.0.0:8080->8000/tcp, 127.0.0.1:8081->8000/tcp`,
    );
    const echo = `import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
s.sendto(b"echoed", ("127.0.0.1", ${any})); print(s.recv(100).decode())`;
    await expect.poll(async () => (await host.do("python3", "-c", echo)).stdout, POLL).toBe("echoed");

    const refused = (reason: string) => ({ exitCode: 125, stderr: expect.stringContaining(reason) as string });
    const other = (...options: readonly string[]) => host.run("run", ...options, rootfs, "true");
    expect(await other("-p", "127.0.0.1:8080:1")).toMatchObject(refused("the host port 8080/tcp leads to web already"));
    expect(await other("-p", "127.0.0.1:8080-8081:1")).toMatchObject(
      refused("the host port 8080-8081/tcp leads to web already"),
    );
    const server = createServer().listen({
      fd: inNetworkNamespace(host.internet.host, () => listenTcp(HOST, 8091, 1)),
    });
    expect(await other("-p", "8091:1")).toMatchObject(refused(`${HOST}:8091 is taken`));
    server.close();
    expect(await other("-p", "192.0.2.9:8082:1")).toMatchObject(
      refused("192.0.2.9 cannot be published: EADDRNOTAVAIL"),
    );
    expect(await other("-d", "-p", `${HOST}:8080:1`)).toMatchObject(refused("leads to web already"));

    expect(await host.run("stop", "-t", "0", "web")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await host.networks()).toEqual([]);
  });

  it("ends with a detached container that ends by itself, and goes with it by --rm", async () => {
    await using host = await FrontHost.create();
    const rootfs = await host.rootfs();
    const wait = ["sh", "-c", "while [ ! -e /tmp/end ]; do sleep 0.1; done"];
    expect(await host.run("run", "-d", "--name", "one", "-p", "8080:80", rootfs, ...wait)).toMatchObject({
      exitCode: 0,
    });
    expect(host.keepers()).toHaveLength(1);
    await host.run("exec", "one", "touch", "/tmp/end");
    await expect.poll(() => host.keepers(), POLL).toEqual([]);
    const listed = (await host.run("ps", "-a")).stdout;
    expect(listed).toMatch(/^one .*stopped/m);
    expect(listed).not.toContain("8080");
    // Its port is free again, and its name is not.
    expect(await host.run("run", "-p", "8080:80", rootfs, "rm", "/tmp/end")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await host.run("rm", "one")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await host.networks()).toEqual([]);
    await host.run("run", "-d", "--rm", "--name", "two", rootfs, ...wait);
    await host.run("exec", "two", "touch", "/tmp/end");
    await expect.poll(() => host.networks(), POLL).toEqual([]);
  });

  it("of programs that were killed is taken away by the next run, and opens nothing", async () => {
    await using host = await FrontHost.create();
    const rootfs = await host.rootfs();
    const egress = ["--egress", `${SERVER}:80`];
    await host.run("run", "-d", "--name", "box", "-p", "8080:80", ...egress, rootfs, "sleep", "1000");
    const inside = async (script: string) => (await host.run("exec", "box", "sh", "-c", script)).stdout;
    expect(await inside(FETCH(SERVER))).toBe(`hello ${HOST}`);
    const [keeper = 0] = host.keepers();
    process.kill(keeper, "SIGKILL");
    await expect.poll(() => inside(FETCH(SERVER)), POLL).not.toContain("hello");
    expect((await host.run("ps")).stdout).not.toContain("8080");
    const foreground = host.start("run", "--name", "front", rootfs, "sleep", "1000");
    await expect.poll(async () => (await host.run("ps", "-q")).stdout, POLL).toContain("front");
    const killed = once(foreground, "exit");
    foreground.kill("SIGKILL");
    await killed;
    await host.run("rm", "-f", "box", "front");
    expect(await host.networks()).toEqual([]);

    await host.run("run", "-d", "--name", "all", ...egress, rootfs, "sleep", "1000");
    const inspected = (await host.run("inspect", "all")).stdout;
    const [{ pid }] = JSON.parse(inspected) as [{ readonly pid: number }];
    const [last = 0] = host.keepers();
    for (const each of [last, pid]) process.kill(each, "SIGKILL");
    expect(await host.run("rm", "-f", "all")).toMatchObject({ exitCode: 0 });
    expect(await host.run("run", rootfs, "true")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await host.networks()).toEqual([]);
  });

  it("calls what --egress lets it call, and its log says what it wanted", async () => {
    await using host = await FrontHost.create();
    const rootfs = await host.rootfs();
    const rules = ["--egress", "*.example.org:80", "--egress", `${OTHER}:80,192.0.2.0/24`];
    await host.run("run", "-d", "--name", "box", ...rules, rootfs, "sleep", "1000");
    const inside = async (script: string) => (await host.run("exec", "box", "sh", "-c", script)).stdout;
    expect(await inside(FETCH(SERVER))).toContain("refused");
    expect(await inside(FETCH(OTHER))).toBe(`hello ${HOST}`);
    expect(await inside("nslookup -type=a secret.example.com 2>&1; true")).toContain("NXDOMAIN");
    expect(await inside(FETCH("www.example.org"))).toBe(`hello ${HOST}`);
    expect(await inside(FETCH("www.example.org", 81))).toContain("refused");
    expect(host.internet.questions).not.toContain("secret.example.com");
    const log = async (): Promise<string> => (await host.run("logs", "--network", "box")).stdout;
    await expect.poll(log, POLL).toMatch(new RegExp(`Z refused tcp ${SERVER}:81$`, "m"));
    for (const line of [`refused tcp ${SERVER}:80`, "refused dns secret.example.com", `allowed tcp ${OTHER}:80`]) {
      expect(await log()).toMatch(new RegExp(`^\\S+Z ${line}$`, "m"));
    }
    await host.run("stop", "-t", "0", "box");
    const none = await host.run("--debug", "run", "--egress", "none", rootfs, "sh", "-c", FETCH(SERVER));
    expect(none).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("refused") as string });
    expect(none.stderr).toContain(`refused tcp ${SERVER}:80`);
    expect(await host.networks()).toEqual([]);
  });

  it("is missed by a warning where nft is, and by an error where it is asked for", async () => {
    await using host = await FrontHost.create();
    const rootfs = await host.rootfs();
    await host.do("sh", "-c", "mount --bind /dev/null $(command -v nft)");
    const shown = await host.run("run", rootfs, "ls", "/sys/class/net");
    expect(shown).toMatchObject({ exitCode: 0, stdout: "lo" });
    expect(shown.stderr).toMatch(/it has its loopback and no other network: nft cannot be run: .*nftables/);
    const silent = await host.run("run", "--network", "none", rootfs, "ls", "/sys/class/net");
    expect(silent).toMatchObject({ exitCode: 0, stdout: "lo", stderr: "" });
    for (const asked of [
      ["--network", "nat"],
      ["-p", "80"],
      ["--egress", "none"],
    ]) {
      expect(await host.run("run", ...asked, rootfs, "true")).toMatchObject({
        exitCode: 125,
        stderr: expect.stringMatching(/the network nat needs nft.*nftables, or use --network none/) as string,
      });
    }
    expect(await host.networks()).toEqual([]);
  });
});
