import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive, type ProcessIdentity } from "@kata-ts/linux";
import { Sandbox } from "@kata-ts/virtcontainers";
import { describe, expect, it } from "vitest";
import { NODE_BINARY } from "../../scripts/lib/paths.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { SHARE, VM_ROOT } from "../harness/paths.ts";

const vm = { kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") };
const PROGRAM = join(import.meta.dirname, "..", "harness", "detached-program.ts");

function start(what: string, ...args: string[]): ChildProcess & { readonly stdout: Readable } {
  return spawn(NODE_BINARY, [PROGRAM, what, ...args], { stdio: ["ignore", "pipe", "inherit"] });
}

/** What a program tells that ends by itself. */
async function run(what: string, ...args: string[]): Promise<unknown> {
  const program = start(what, ...args);
  const [said, [status]] = await Promise.all([text(program.stdout), once(program, "exit") as Promise<[number | null]>]);
  expect(status, said).toBe(0);
  return JSON.parse(said);
}

async function states(): Promise<string[]> {
  return (await Sandbox.list()).map(({ id, state }) => `${id} ${state}`);
}

/** One that no other test has its containers in: they write to it. */
async function ownRootfs(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "detached-"));
  await cp(await busyboxRootfs(), path, { recursive: true, verbatimSymlinks: true });
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** The processes of the one VM that there is: what watches over it, and the monitor. */
function processesOf(): readonly ProcessIdentity[] {
  const [directory = ""] = readdirSync(VM_ROOT);
  const note = readFileSync(join(VM_ROOT, directory, "processes.json"), "utf8");
  return (JSON.parse(note) as { readonly processes: readonly ProcessIdentity[] }).processes;
}

function signal(identity: ProcessIdentity | undefined, name: NodeJS.Signals): void {
  if (identity === undefined) throw new Error("the VM has no such process");
  process.kill(identity.pid, name);
}

async function settled(ready: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await ready())) await delay(20);
}

describe("a sandbox that outlives its program", () => {
  expectCleanHost();

  it("is opened by another program, which goes on with its container", async () => {
    await using root = await ownRootfs();
    const rootfs = root.path;
    expect(await run("detach", "relay", rootfs)).toBe("detached");
    expect(await states()).toEqual(["relay detached"]);
    expect(await run("use", "relay")).toEqual({
      stdout: "1\nby the first program",
      file: "by the first program",
      lines: ["begun", "got a line"],
    });
    expect(await states()).toEqual([]);
  });

  it("never waits for a reader, keeps the last of what it writes, and the status of what ends meanwhile", async () => {
    await using root = await ownRootfs();
    const rootfs = root.path;
    const first = await Sandbox.create({ vm, id: "talker", detachable: true });
    const script = "read go; seq 1000000; echo over >&2; touch /tmp/talked; exit 7";
    const running = await (await first.createContainer({ rootfs, id: "talk", args: ["sh", "-c", script] })).start();
    const beside = await running.exec({ args: ["sleep", "1000"] });
    const refusal = "sandbox talker cannot be detached: process sleep of container talk is under way in this program";
    await expect(first.detach()).rejects.toMatchObject({ code: "KATA_STATE", message: refusal });
    await beside.kill("SIGKILL");
    expect(await beside.result()).toMatchObject({ signal: "SIGKILL" });
    running.process.stdin.write("go\n");
    await first.detach();
    await expect(running.process.wait()).rejects.toThrow("let go of");
    await first[Symbol.asyncDispose]();
    await settled(() => existsSync(join(rootfs, "tmp", "talked")));

    await using second = await Sandbox.open("talker");
    const [talk] = second.restored;
    const result = await talk?.process.result();
    expect(result).toMatchObject({ exitCode: 7, stderr: "over\n" });
    expect(result?.stdout).toMatch(/\n999999\n1000000\n$/);
    expect(result?.stdout.length).toBeLessThan(2 * 2 ** 20); // Of 6.9 MB.
    await talk?.remove();
    expect(await second.run({ rootfs, args: ["echo", "more"] })).toMatchObject({ stdout: "more\n" });
  });

  it("is one program's at a time, and ends with that, also where it is killed", async () => {
    await using root = await ownRootfs();
    const rootfs = root.path;
    expect(await run("detach", "contested", rootfs)).toBe("detached");
    const holders = [1, 2].map(() => start("hold", "contested"));
    const ends = holders.map((holder) => once(holder, "exit"));
    const said = holders.map(async (holder) => String((await once(holder.stdout, "data"))[0]));
    const [watcher] = processesOf();
    expect((await Promise.all(said)).sort()).toEqual(['"KATA_STATE"\n', '"opened"\n']);
    await expect(Sandbox.open("contested")).rejects.toMatchObject({ code: "KATA_STATE" });
    for (const holder of holders) holder.kill("SIGKILL");
    await Promise.all(ends);
    await settled(() => watcher !== undefined && !isAlive(watcher));
    expect(readdirSync(VM_ROOT)).toEqual([]);
    await expect(Sandbox.open("contested")).rejects.toMatchObject({ code: "KATA_NOT_FOUND" });
  });

  it("ends with a program that is killed in the middle of opening it, and leaves nothing", async () => {
    await using root = await ownRootfs();
    expect(await run("detach", "half", root.path)).toBe("detached");
    const [watcher] = processesOf();
    const holder = start("hold", "half");
    const end = once(holder, "exit");
    await settled(async () => (await states()).includes("half running")); // It opens the containers then.
    holder.kill("SIGKILL");
    await end;
    await settled(() => watcher !== undefined && !isAlive(watcher));
    expect(readdirSync(VM_ROOT)).toEqual([]);
  });

  it("ends with a program that is killed in the middle of detaching it, and leaves nothing", async () => {
    await using root = await ownRootfs();
    const program = start("detach half", "cut", root.path);
    const [said, end] = await Promise.all([text(program.stdout), once(program, "exit")]);
    expect([JSON.parse(said), end]).toEqual([expect.stringMatching(/owner\.json\.new$/), [null, "SIGKILL"]]);
    await settled(() => readdirSync(VM_ROOT).length === 0);
    await expect(Sandbox.open("cut")).rejects.toMatchObject({ code: "KATA_NOT_FOUND" });
  });

  it("stays detached where the program that opens it gives up before kata-proxy comes to it", async () => {
    const sandbox = await Sandbox.create({ vm, id: "slow", detachable: true });
    await sandbox.detach();
    const [watcher] = processesOf();
    if (watcher === undefined) throw new Error("nothing watches over it");
    process.kill(watcher.pid, "SIGSTOP");
    try {
      await expect(Sandbox.open("slow")).rejects.toMatchObject({ code: "KATA_PROXY" });
    } finally {
      process.kill(watcher.pid, "SIGCONT");
    }
    await (await Sandbox.open("slow")).close();
    expect(await states()).toEqual([]);
  });

  it("is refused where its VM has died, and what is left is removed; it is removed while it runs, too", async () => {
    const dead = await Sandbox.create({ vm, id: "dead", detachable: true });
    await dead.detach();
    const [watcher, vmm] = processesOf();
    process.kill(vmm?.pid ?? 0, "SIGKILL");
    await settled(() => watcher !== undefined && !isAlive(watcher));
    expect(await states()).toEqual(["dead left"]);
    await expect(Sandbox.open("dead")).rejects.toMatchObject({ code: "KATA_VM_GONE" });
    for (const found of await Sandbox.list()) await found.remove();
    expect(await states()).toEqual([]);

    const living = await Sandbox.create({ vm, id: "living", detachable: true });
    await living.detach();
    for (const found of await Sandbox.list()) await found.remove();
    expect(await states()).toEqual([]);
    expect(readdirSync(VM_ROOT)).toEqual([]);
  });

  it("is removed, too, where its kata-proxy hangs", async () => {
    const hung = await Sandbox.create({ vm, id: "hung", detachable: true });
    await hung.detach();
    const processes = processesOf();
    signal(processes[0], "SIGSTOP");
    await expect(Sandbox.open("hung")).rejects.toMatchObject({ code: "KATA_PROXY" });
    for (const found of await Sandbox.list()) await found.remove();
    expect(await states()).toEqual([]);
    expect(processes.filter(isAlive)).toEqual([]);
    expect(readdirSync(VM_ROOT)).toEqual([]);
  });
});
