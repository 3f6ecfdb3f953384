import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { type CommandResult, runCommand } from "../harness/command.ts";
import { ociArchive } from "../harness/engines/oci-images.ts";
import { busyboxRootfs, pythonRootfs } from "../harness/images.ts";
import { Kata } from "../harness/kata.ts";
import { TestNetwork } from "../harness/network.ts";
import { KATA } from "../harness/own-kata.ts";
import { onTerminal } from "../harness/terminal.ts";

/** Images, volumes and bundles of these tests alone. */
const DATA = mkdtempSync(join(tmpdir(), "kata-front-"));
const BUNDLES = join(DATA, "bundles");
process.env.KATA_TS_DATA = DATA;

/** A `kata run` that stays, once its container runs. */
async function running(runtime: Kata, name: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(KATA, ["--root", runtime.root, "run", "--name", name, ...args], { stdio: "ignore" });
  for (;;) {
    const { exitCode, stdout } = await runtime.run(["state", name]);
    if (exitCode === 0 && stdout.includes('"running"')) return child;
    if (child.exitCode !== null) throw new Error(`kata run has ended with ${String(child.exitCode)}`);
    await setImmediate();
  }
}

describe("kata, for people", () => {
  expectCleanHost();
  afterAll(() => {
    rmSync(DATA, { recursive: true });
  });

  const run = (runtime: Kata, ...args: readonly string[]): Promise<CommandResult> =>
    runCommand(KATA, ["--root", runtime.root, ...args], {});
  const bundles = (): string[] => (existsSync(BUNDLES) ? readdirSync(BUNDLES) : []);

  it("runs a directory with what is asked for, and leaves nothing", async () => {
    await using runtime = new Kata();
    const volume = join(runtime.directory, "volume");
    mkdirSync(volume);
    writeFileSync(join(volume, "file"), "from the host\n");
    const asked = ["--memory", "128m", "-e", "A=b c", "-w", "/tmp", "--user", "12:34", "--name", "own"];
    const script =
      "echo $A; hostname; pwd; id -u; id -g; cat /v/file; touch /v/x; cat /sys/fs/cgroup/memory.max; exit 7";
    const shown = await run(
      runtime,
      "run",
      ...asked,
      "-v",
      `${volume}:/v:ro`,
      await busyboxRootfs(),
      "sh",
      "-c",
      script,
    );
    expect(shown).toMatchObject({
      exitCode: 7,
      stdout: "b c\nown\n/tmp\n12\n34\nfrom the host\n134217728",
      stderr: "touch: /v/x: Read-only file system",
    });
    expect(bundles()).toEqual([]);
    expect((await run(runtime, "ps")).stdout.split("\n")).toHaveLength(1);
  });

  it("tells a container its names, and by its status whether there was a command", async () => {
    await using runtime = new Kata();
    const rootfs = join(runtime.directory, "rootfs");
    cpSync(await busyboxRootfs(), rootfs, { recursive: true, verbatimSymlinks: true });
    mkdirSync(join(rootfs, "etc"), { recursive: true });
    for (const name of ["hosts", "hostname"]) writeFileSync(join(rootfs, "etc", name), "");
    const script = "cat /etc/hostname; grep -c localhost /etc/hosts; grep own /etc/hosts; echo $FRONT_OWN";
    const command = ["--name", "own", "-e", "FRONT_OWN", rootfs, "sh", "-c", script];
    const env = { ...process.env, FRONT_OWN: "mine" };
    const shown = await runCommand(KATA, ["--root", runtime.root, "run", "--rm", ...command], { env });
    expect(shown).toMatchObject({ exitCode: 0, stderr: "" });
    expect(shown.stdout).toMatch(/^own\n2\n\d+(\.\d+){3}\town\nmine$/);
    expect(await run(runtime, "run", rootfs, "no-such-command")).toMatchObject({ exitCode: 127 });
    expect(await run(runtime, "run", rootfs, "/no/such/command")).toMatchObject({ exitCode: 127 });
    expect(await run(runtime, "run", rootfs, "/etc/hostname")).toMatchObject({ exitCode: 126 });
  });

  it("runs an image of distribution packages out of an archive, as its author wants it", async () => {
    await using runtime = new Kata();
    const command = ["python3.11", "-c", "import sys; print(sys.version_info.major, sys.argv)"];
    const image = { name: "example", tag: "1", rootfs: await pythonRootfs(), command };
    const archive = await ociArchive(runtime.directory, image);
    expect(await run(runtime, "run", archive)).toMatchObject({ exitCode: 0, stdout: "3 ['-c']", stderr: "" });
    const other = await run(runtime, "run", archive, "sh", "-c", "echo other; exit 3");
    expect(other).toMatchObject({ exitCode: 3, stdout: "other", stderr: "" });
    expect(bundles()).toEqual([]);
  });

  it("lists, enters, explains and stops what runs", async () => {
    await using runtime = new Kata();
    const child = await running(runtime, "web", [
      await busyboxRootfs(),
      "sh",
      "-c",
      "trap 'exit 9' TERM; while :; do sleep 0.1; done",
    ]);
    const ended = once(child, "exit");
    expect((await run(runtime, "ps")).stdout).toMatch(/^web +\d+ +running/m);
    expect(
      await run(runtime, "exec", "-i", "-e", "X=y", "-w", "/etc", "web", "sh", "-c", "echo $X -it; pwd"),
    ).toMatchObject({
      stdout: "y -it\n/etc",
    });
    expect((await run(runtime, "logs", "web")).stdout).toContain("kata-agent: ready");
    expect(await run(runtime, "run", "--name", "web", await busyboxRootfs(), "true")).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining("web runs already") as string,
    });
    expect(await run(runtime, "stop", "web")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await ended).toEqual([9, null]);
    expect(bundles()).toEqual([]);

    const deaf = await running(runtime, "deaf", [await busyboxRootfs(), "sleep", "1000"]);
    const forced = once(deaf, "exit");
    expect(await run(runtime, "stop", "--time", "0", "deaf")).toMatchObject({ exitCode: 0 });
    expect(await forced).toEqual([137, null]);
  });

  it("is run and entered as a user of its own files, by name", async () => {
    await using runtime = new Kata();
    const rootfs = join(runtime.directory, "rootfs");
    cpSync(await busyboxRootfs(), rootfs, { recursive: true, verbatimSymlinks: true });
    const accounts = { passwd: "web:x:1000:1001::/home/web:/bin/sh\n", group: "web:x:1001:\nmore:x:2000:web\n" };
    for (const [name, lines] of Object.entries(accounts)) appendFileSync(join(rootfs, "etc", name), lines);
    const ofHost = join(runtime.directory, "passwd");
    writeFileSync(ofHost, "host:x:0:0:::\n");
    const child = await running(runtime, "box", ["-u", "web", rootfs, "sleep", "1000"]);
    const as = (user: string, ...command: readonly string[]) => run(runtime, "exec", "-u", user, "box", ...command);
    const ids = ["sh", "-c", "id -u; id -g; id -G; echo $HOME"];
    const web = { exitCode: 0, stdout: "1000\n1001\n1001 2000\n/home/web", stderr: "" };
    expect(await run(runtime, "exec", "box", ...ids)).toMatchObject({ stdout: "1000\n1001\n1001 2000\n/home/web" });
    expect(await runtime.run(["exec", "box", ...ids])).toMatchObject(web);
    for (const user of ["web", "1000"]) expect(await as(user, ...ids)).toMatchObject(web);
    expect((await as("web:more", "id", "-g")).stdout).toBe("2000");
    expect((await as("5:6", "id", "-u")).stdout).toBe("5");
    await as("root", "sh", "-c", "echo late:x:77:78:::: >> /etc/passwd");
    expect((await as("late", "id", "-g")).stdout).toBe("78");
    await as("root", "ln", "-sf", ofHost, "/etc/passwd");
    expect(await as("host", "id")).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('/etc/passwd has no user "host"') as string,
    });
    expect(await run(runtime, "stop", "-t", "0", "box")).toMatchObject({ exitCode: 0 });
    await once(child, "exit");
    expect(await run(runtime, "run", "-u", "host", rootfs, "id")).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('/etc/passwd has no user "host"') as string,
    });
  });

  it("runs detached at a bridge of CNI plugins, with a port of the host's, until it is stopped", async () => {
    await using runtime = new Kata();
    await using host = new TestNetwork();
    const namespace = await host.namespace();
    const inHost = (...command: readonly string[]): Promise<CommandResult> =>
      runCommand("nsenter", [`--net=${namespace}`, ...command]);
    const kata = (...args: readonly string[]) => inHost(KATA, "--root", runtime.root, ...args);
    const serve =
      "import http.server as h; print('serving', flush=True); h.test(h.SimpleHTTPRequestHandler, port=8000)";
    const options = ["-d", "--name", "web", "--network", "bridge", "-p", "18081:8000", await pythonRootfs()];
    const started = await kata("run", ...options, "python3", "-c", serve);
    expect(started).toMatchObject({ exitCode: 0, stdout: "web", stderr: "" });
    const fetch =
      "import urllib.request as u; print(u.urlopen('http://127.0.0.1:18081/etc/os-release').read().decode())";
    let answer = await inHost("python3", "-c", fetch);
    while (answer.exitCode !== 0) answer = await inHost("python3", "-c", fetch);
    expect(answer.stdout).toContain("Debian");
    expect((await kata("logs", "web")).stdout).toContain("serving");
    expect((await kata("ps")).stdout).toMatch(/^web +\d+ +running/m);
    expect(await kata("stop", "--time", "0", "web")).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await kata("ps")).stdout.split("\n")).toHaveLength(1);
    expect(bundles()).toEqual([]);
    expect((await inHost("ip", "-o", "link")).stdout).toMatch(/^1: lo: [^\n]*$/);
    expect((await inHost("iptables-save", "-t", "nat")).stdout).not.toContain("18081");
  });

  it("keeps the last of what a detached container writes, in files of a bounded size", async () => {
    await using runtime = new Kata();
    const lines = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo done >&2; exec sleep 1000";
    const options = ["-d", "--name", "talker", "--log-opt", "max-size=20k", "--log-opt", "max-file=3"];
    expect(await run(runtime, "run", ...options, await busyboxRootfs(), "sh", "-c", lines)).toMatchObject({
      exitCode: 0,
    });
    let shown = "";
    while (!shown.endsWith("done")) shown = (await run(runtime, "logs", "talker")).stdout;
    const last = shown.split("\n").slice(0, -1);
    const numbers = last.map((line) => Number(line.slice("line ".length)));
    expect(numbers).toEqual(numbers.map((_, index) => 20_000 - numbers.length + index));
    expect(shown.length).toBeGreaterThan(40_000);
    const files = readdirSync(join(BUNDLES, "talker")).filter((name) => name.startsWith("output.log"));
    expect(files.sort()).toEqual(["output.log", "output.log.1", "output.log.2", "output.log.dropped"]);
    const { stderr } = await run(runtime, "logs", "talker");
    const all = `${Array.from({ length: 20_000 }, (_, index) => `line ${String(index)}\n`).join("")}done\n`;
    expect(stderr).toContain(
      `kata: the oldest ${String(all.length - shown.length - 1)} bytes of the output were dropped`,
    );
    expect((await run(runtime, "logs", "--tail", "3", "talker")).stderr).toBe("");
    for (const name of files) expect(statSync(join(BUNDLES, "talker", name)).size).toBeLessThanOrEqual(20_480);
    await run(runtime, "stop", "--time", "0", "talker");
    expect(bundles()).toEqual([]);
    const wrong = await run(runtime, "run", "--log-opt", "max-size=1k", await busyboxRootfs(), "true");
    expect(wrong.stderr).toContain("--log-opt is for --detach");
  });

  it("gives a person a terminal", async () => {
    await using runtime = new Kata();
    const shell = ["--root", runtime.root, "run", "-it", await busyboxRootfs(), "sh"];
    const { terminal, exited } = onTerminal(KATA, shell, { rows: 20, columns: 70 });
    using _terminal = terminal;
    await terminal.until(/# /);
    terminal.type("stty size; tty\r");
    await terminal.until(/\r\n20 70\r\n\/dev\/pts\/0\r\n/);
    terminal.type("exit 4\r");
    expect(await exited).toBe(4);
    expect(bundles()).toEqual([]);
  });

  it("sweeps up after one that was killed, but not while its container runs", async () => {
    await using runtime = new Kata();
    const child = await running(runtime, "left", [await busyboxRootfs(), "sleep", "1000"]);
    const killed = once(child, "exit");
    child.kill("SIGKILL");
    await killed;
    expect((await run(runtime, "run", await busyboxRootfs(), "true")).exitCode).toBe(0);
    expect(bundles()).toEqual(["left"]);
    await runtime.ok(["delete", "--force", "left"]);
    expect((await run(runtime, "run", "/nowhere/at/all", "true")).exitCode).toBe(125);
    expect((await run(runtime, "run", await busyboxRootfs(), "true")).exitCode).toBe(0);
    expect(bundles()).toEqual([]);
  });

  it.each([
    [["frobnicate"], 'kata: no command "frobnicate": see kata --help'],
    [["run"], "requires an image or a directory"],
    [["run", "-v", "/a", "/", "true"], "--volume takes FROM:TO"],
    [["run", "--cpus", "many", "/", "true"], "--cpus takes a number"],
    [["run", "--name", "../x", "/", "true"], "../x"],
    [["run", "No Such Image"], "is no image reference"],
  ])("says what is wrong with %j", async (args, message) => {
    await using runtime = new Kata();
    const { exitCode, stderr } = await run(runtime, ...args);
    expect(exitCode).toBe(args[0] === "run" ? 125 : 1);
    expect(stderr).toContain(message);
    expect(bundles()).toEqual([]);
  });
});
