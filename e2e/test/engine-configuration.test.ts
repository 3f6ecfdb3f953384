import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { type CommandResult, runCommand } from "../harness/command.ts";
import { Daemon } from "../harness/engines/daemon.ts";
import { EngineRoot } from "../harness/engines/root/engine-root.ts";
import { TestNetwork } from "../harness/network.ts";
import { CONTAINERD_SHIM, RUNTIME } from "../harness/paths.ts";

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

/** As Debian ships it: without a word about runtimes. What it would write outside the tests' directory goes there. */
async function distributionsFile(): Promise<string> {
  return place((await inRoot("cat", "/etc/containerd/config.toml")).stdout);
}

/** All that containerd knows by itself, in the newest format that it reads. */
async function defaultFile(): Promise<string> {
  return place((await inRoot("containerd", "config", "default")).stdout);
}

function place(text: string): string {
  const file = join(directory, "config.toml");
  writeFileSync(file, text.replaceAll(/(['"])\/(?:opt|var\/lib)\/containerd/g, `$1${directory}`));
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

  it.each([
    ["the distribution's own file", distributionsFile],
    ["all of containerd's defaults", defaultFile],
  ])("adds to %s, with which the CRI plugin still loads, and takes it back", async (_name, open) => {
    const file = await open();
    const before = readFileSync(file, "utf8");
    const written = await inRoot(RUNTIME, "kata-engine", "containerd", "--write", "--file", file);
    expect(written).toMatchObject({ exitCode: 0, stderr: "" });
    expect(readFileSync(file, "utf8").startsWith(before.trimEnd())).toBe(true);
    const dump = (await inRoot("containerd", "--config", file, "config", "dump")).stdout;
    expect(dump).toMatch(/runtimes\.runc\]/);
    expect(dump).toMatch(new RegExp(`runtimes\\.kata\\.options\\]\\s[^[]*BinaryName = ['"]${RUNTIME}['"]`));
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
    const file = await distributionsFile();
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
    const before = {
      "log-level": "warn",
      features: { buildkit: true },
      runtimes: { other: { path: "/usr/sbin/runc", runtimeArgs: ["--debug"] } },
      "default-ulimits": { nofile: { Name: "nofile", Hard: 64_000, Soft: 64_000 } },
    };
    writeFileSync(file, JSON.stringify(before));
    const told = await inRoot(RUNTIME, "kata-engine", "docker", "--write", "--file", file);
    expect(told).toMatchObject({ exitCode: 0, stderr: "" });
    const after = { ...before, runtimes: { ...before.runtimes, kata: { path: RUNTIME } } };
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(after);
    expect((await inRoot(RUNTIME, "kata-engine", "docker", "--remove", "--file", file)).exitCode).toBe(0);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(before);
  });

  it("adds our own shim where dockerd knows shims of others, and refuses an older one by name", async () => {
    const file = join(directory, "daemon.json");
    rmSync(file, { force: true });
    const asked = await inRoot("dockerd", "--validate", "--config-file", "/dev/null");
    const told = await inRoot(RUNTIME, "kata-engine", "docker", "--shim", "v2", "--write", "--file", file);
    if (asked.stderr.includes("unknown flag")) {
      expect(told.stderr).toContain("dockerd is older than Docker 23, and has no runtimeType");
      expect([told.exitCode, existsSync(file)]).toEqual([1, false]);
    } else {
      expect(told).toMatchObject({ exitCode: 0, stderr: "" });
      expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ runtimes: { kata: { runtimeType: CONTAINERD_SHIM } } });
      expect((await inRoot(RUNTIME, "kata-engine", "docker", "--remove", "--file", file)).exitCode).toBe(0);
      expect(existsSync(file)).toBe(false);
    }
  });

  it("leaves a file as it is that this dockerd does not read, where it can be asked", async () => {
    const file = join(directory, "daemon.json");
    const text = JSON.stringify({ "no-such-option": true });
    writeFileSync(file, text);
    const asked = await inRoot("dockerd", "--validate", "--config-file", file);
    const told = await inRoot(RUNTIME, "kata-engine", "docker", "--write", "--file", file);
    if (asked.stderr.includes("unknown flag")) {
      expect(told.exitCode).toBe(0);
    } else {
      expect(told.stderr).toMatch(/no-such-option/);
      expect(readFileSync(file, "utf8")).toBe(text);
    }
  });
});

describe("kata-engine podman", () => {
  expectCleanHost();

  it("writes a file by which podman finds the runtime, and takes it away", async () => {
    const file = join(directory, "conf.d", "50-kata-ts.conf");
    expect((await inRoot(RUNTIME, "kata-engine", "podman", "--write", "--file", file)).exitCode).toBe(0);
    const storage = ["--root", join(directory, "graph"), "--runroot", join(directory, "podman-run")];
    const query = ["--runtime", "kata", "info", "--format", "{{.Host.OCIRuntime.Path}} {{.Host.OCIRuntime.Version}}"];
    const info = await inRoot("env", `CONTAINERS_CONF=${file}`, "podman", ...storage, "--storage-driver=vfs", ...query);
    expect(info.stdout).toMatch(new RegExp(`^${RUNTIME} .*kata-runtime`, "s"));
    expect((await inRoot(RUNTIME, "kata-engine", "podman", "--remove", "--file", file)).exitCode).toBe(0);
    expect(existsSync(file)).toBe(false);
  });
});
