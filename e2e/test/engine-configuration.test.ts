import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { type CommandResult, runCommand } from "../harness/command.ts";
import { Daemon } from "../harness/engines/daemon.ts";
import { EngineRoot } from "../harness/engines/root/engine-root.ts";
import { TestNetwork } from "../harness/network.ts";
import { RUNTIME } from "../harness/paths.ts";

let root: EngineRoot;
let network: TestNetwork;
/** Of containerd. */
let namespace = "";
let directory = "";

beforeAll(async () => {
  root = await EngineRoot.open();
  network = new TestNetwork();
  namespace = await network.namespace();
  directory = mkdtempSync("/tmp/e2e-engine-configuration-");
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
  await root[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

function inRoot(...command: readonly string[]): Promise<CommandResult> {
  return runCommand("nsenter", [root.mount, ...command]);
}

/** As Debian ships it: without a word about runtimes. */
function distributionsFile(): string {
  const file = join(directory, "config.toml");
  const text = `version = 2

[plugins] # kept
  [plugins."io.containerd.grpc.v1.cri"]
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
  [plugins."io.containerd.internal.v1.opt"]
    path = "${directory}/opt"
`;
  writeFileSync(file, text);
  return file;
}

/** The lines of containerd's plugins, once it serves. */
async function pluginsWith(file: string): Promise<string> {
  const socket = join(directory, "c.sock");
  const places = ["--root", join(directory, "root"), "--state", join(directory, "state"), "--address", socket];
  await using daemon = await Daemon.start({
    namespace,
    root,
    command: ["containerd", "--config", file, ...places],
    ready: /containerd successfully booted/,
  });
  expect(daemon.pid).toBeGreaterThan(0);
  return (await inRoot("ctr", "--address", socket, "plugins", "ls")).stdout;
}

describe("kata-engine containerd", () => {
  expectCleanHost();

  it("adds to the distribution's own file, with which the CRI plugin still loads, and takes it back", async () => {
    const file = distributionsFile();
    const before = readFileSync(file, "utf8");
    const written = await inRoot(RUNTIME, "kata-engine", "containerd", "--write", "--file", file);
    expect(written).toMatchObject({ exitCode: 0, stderr: "" });
    expect(readFileSync(file, "utf8").startsWith(before.trimEnd())).toBe(true);
    const dump = (await inRoot("containerd", "--config", file, "config", "dump")).stdout;
    expect(dump).toMatch(/runtimes\.runc\]/);
    expect(dump).toMatch(/runtimes\.kata\]/);
    expect(await pluginsWith(file)).toMatch(/^io\.containerd\.grpc\.v1 +cri +\S+ +ok/m);
    expect((await inRoot(RUNTIME, "kata-engine", "containerd", "--remove", "--file", file)).exitCode).toBe(0);
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  it("writes the version that containerd would write, where there is no file", async () => {
    const file = join(directory, "none", "config.toml");
    await inRoot(RUNTIME, "kata-engine", "containerd", "--write", "--file", file);
    const version = /^version = \d/m;
    const own = version.exec((await inRoot("containerd", "config", "default")).stdout);
    expect(version.exec(readFileSync(file, "utf8"))?.[0]).toBe(own?.[0]);
    await inRoot(RUNTIME, "kata-engine", "containerd", "--remove", "--file", file);
    expect(() => readFileSync(file)).toThrow("ENOENT");
  });

  it("leaves a file as it is that containerd cannot read with our section", async () => {
    const file = distributionsFile();
    const inline = '[plugins."io.containerd.grpc.v1.cri".containerd]\n  runtimes = { own = { runtime_type = "x" } }\n';
    const text = `${readFileSync(file, "utf8")}${inline}`;
    writeFileSync(file, text);
    const result = await inRoot(RUNTIME, "kata-engine", "containerd", "--write", "--file", file);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(`${file}: `);
    expect(readFileSync(file, "utf8")).toBe(text);
  });
});

describe("kata-engine docker", () => {
  expectCleanHost();

  it("adds to daemon.json, and takes it back", async () => {
    const file = join(directory, "daemon.json");
    writeFileSync(file, JSON.stringify({ "log-level": "warn" }));
    expect((await inRoot(RUNTIME, "kata-engine", "docker", "--write", "--file", file)).exitCode).toBe(0);
    const { runtimes } = JSON.parse(readFileSync(file, "utf8")) as { runtimes: object };
    expect(runtimes).toEqual({ kata: { path: RUNTIME } });
    expect((await inRoot(RUNTIME, "kata-engine", "docker", "--remove", "--file", file)).exitCode).toBe(0);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ "log-level": "warn" });
  });
});
