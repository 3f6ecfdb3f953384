import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { runCommand } from "../harness/command.ts";
import { Kata } from "../harness/kata.ts";
import { RUNTIME } from "../harness/paths.ts";

const KATA = join(dirname(RUNTIME), "kata");

/** A registry that answers nothing, and tells when it is asked. */
class SilentRegistry implements AsyncDisposable {
  readonly server = createServer();
  readonly asked: string[] = [];

  async host(): Promise<string> {
    this.server.on("request", ({ url }) => this.asked.push(url ?? ""));
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return `127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, "close");
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}

describe("kata, before anything runs", () => {
  it("says its version, and what a command takes", async () => {
    expect((await runCommand(KATA, ["--version"])).stdout).toMatch(/^kata \d+\.\d+\.\d+, commit \w+$/);
    const [asked, help] = [await runCommand(KATA, ["help", "run"]), await runCommand(KATA, ["run", "--help"])];
    expect(asked).toMatchObject({ exitCode: 0, stdout: help.stdout });
    expect(help.stdout).toContain("--plain-http");
    expect(await runCommand(KATA, ["help", "frobnicate"])).toMatchObject({ exitCode: 1 });
    for (const command of ["checkpoint", "restore"]) {
      const refused = await runCommand(KATA, [command, "web"]);
      expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("is a directory") as string });
      expect(refused.stderr).toContain(`kata-runtime ${command} is for`);
    }
  });

  it.each([
    [["-v", "/nonexistent/x:/x"], "there is no /nonexistent/x"],
    [["-p", "80:1", "-p", "80:2"], "host port 80/tcp twice"],
    [
      ["-p", "8000-8002:80-81"],
      "--publish takes ranges of the same length on both sides, or a range of the host for one",
    ],
    [["-p", "8000-8010:80", "--network", "bridge"], "bridge needs a port of the host for each of the container"],
    [["--network", "host"], "--network takes nat, bridge or none"],
    [["--network", "none", "-p", "80"], "--network none has none"],
    [["--egress", "a b"], 'egress cannot allow "a b"'],
    [["-w", "srv"], "--workdir takes an absolute path"],
    [["-m", "lots"], "memory"],
    [["--cpus", "many"], "--cpus takes"],
  ])("tells of %j before it asks a registry", async (options, reason) => {
    await using runtime = new Kata();
    await using registry = new SilentRegistry();
    const image = `${await registry.host()}/app`;
    const answer = await runCommand(KATA, ["--root", runtime.root, "run", ...options, image]);
    expect(answer).toMatchObject({ exitCode: 125, stderr: expect.stringContaining(reason) as string });
    expect(registry.asked).toEqual([]);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("ends by %s while it fetches, in one line", async (signal, status) => {
    await using runtime = new Kata();
    await using registry = new SilentRegistry();
    const image = `${await registry.host()}/app`;
    const env = { ...process.env, KATA_TS_DATA: runtime.directory, HOME: runtime.directory };
    const child = spawn(KATA, ["--root", runtime.root, "run", "--rm", image], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = text(child.stderr);
    const closed = once(child, "close");
    // It asks, or says why not.
    await Promise.race([once(registry.server, "request"), closed]);
    child.kill(signal);
    expect(await closed).toEqual([status, null]);
    expect(await said).toBe(`kata: given up: ${signal}\n`);
    expect(readdirSync(join(runtime.directory, "bundles"))).toEqual([]);
    const left = readdirSync(runtime.directory, { recursive: true, encoding: "utf8" });
    expect(left.filter((name) => name.includes("work-"))).toEqual([]);
  });
});
