import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  fstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { createPipe, identifyProcess, isAlive, signalProcess } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { Kata } from "../harness/kata.ts";
import { RUNTIME } from "../harness/paths.ts";

interface Recorded {
  readonly shim: { readonly pid: number };
  readonly vm: { readonly dir: string; readonly processes: readonly { readonly pid: number }[] };
}

function recorded(kata: Kata, id: string): Recorded {
  return JSON.parse(readFileSync(join(kata.root, id, "kata.json"), "utf8")) as Recorded;
}

const REAPER = join(import.meta.dirname, "..", "harness", "reaper.py");

/** Where the directories of VMs are. */
const VMS = "/run/kata-ts/vm";

function vms(): string[] {
  return existsSync(VMS) ? readdirSync(VMS) : [];
}

describe("the contract with the engine's reaper", () => {
  expectCleanHost();

  it("shows who joins the shim's namespaces the container, never the host", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"] });
    const { pid } = await kata.state(id);
    const root = `/proc/${String(pid)}/root`;
    expect(readdirSync(root)).toContain("bin");
    expect(existsSync(`${root}/boot`)).toBe(false);
    expect(readdirSync(`${root}/etc`)).toEqual(["group", "passwd"]);
    expect(readFileSync(`${root}/proc/1/cmdline`, "utf8")).toContain("kata-shim");
    expect(readdirSync(`${root}/proc`).filter((name) => /^\d+$/.test(name))).toEqual(["1"]);
    for (const kind of ["mnt", "pid"]) {
      expect(readlinkSync(`/proc/${String(pid)}/ns/${kind}`)).not.toBe(readlinkSync(`/proc/self/ns/${kind}`));
    }
  });

  it("leaves the caller's descriptors to the shim alone", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["sh", "-c", "read line; echo got $line"] });
    const [stdin, stdout] = [createPipe(), createPipe()];
    // An extra descriptor, as containerd passes one.
    const create = spawn(RUNTIME, ["--root", kata.root, "create", "--bundle", path, "fds"], {
      stdio: [stdin.read, stdout.write, "inherit", "pipe"],
    });
    for (const fd of [stdin.read, stdout.write]) closeSync(fd);
    const output = buffer(new Socket({ fd: stdout.read, readable: true, writable: false }));
    const extraClosed = once(create.stdio[3] as Socket, "close");
    await once(create, "exit");
    await extraClosed; // Nobody who lives on has it.
    const { shim, vm } = recorded(kata, "fds");
    const ours = [stdin.write, stdout.read].map((fd) => `pipe:[${String(fstatSync(fd).ino)}]`);
    const held = (pid: number): string[] =>
      readdirSync(`/proc/${String(pid)}/fd`)
        .map((fd) => readlinkSync(`/proc/${String(pid)}/fd/${fd}`))
        .filter((target) => ours.includes(target));
    expect(held(shim.pid).sort()).toEqual(ours.sort());
    for (const { pid } of vm.processes) expect(held(pid)).toEqual([]);
    await kata.ok(["start", "fds"]);
    writeSync(stdin.write, "a line\n");
    closeSync(stdin.write);
    // It ends when the last holder of the pipe is gone.
    expect((await output).toString()).toBe("got a line\n");
  });

  it("forwards signals that reach the shim, and exits with the process's status", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({
      args: ["sh", "-c", "trap 'exit 33' USR1; echo up; while :; do sleep 0.05; done"],
    });
    const { ended } = await kata.runUntilReady("sig", path);
    const { pid } = await kata.state("sig");
    signalProcess(identifyProcess(pid), "SIGUSR1");
    expect((await ended).exitCode).toBe(33);
  });

  it("leaves a process that ends at once to the engine, which learns its status", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"] });
    const { path } = await kata.bundle({ args: ["sh", "-c", "exit 7"] });
    const pidFile = kata.file("pid", "");
    const execs = Array.from({ length: 5 }, () => [
      "exec",
      "--detach",
      "--pid-file",
      pidFile,
      id,
      "sh",
      "-c",
      "exit 7",
    ]);
    for (const call of [...execs, ["run", "--detach", "--pid-file", pidFile, "--bundle", path, "short"]]) {
      const { stdout } = await runCommand("python3", [REAPER, pidFile, RUNTIME, "--root", kata.root, ...call]);
      const found = JSON.parse(stdout) as { runtime: number; collected: Readonly<Record<string, number>> };
      expect(found.runtime, call.join(" ")).toBe(0);
      expect(found.collected, call.join(" ")).toMatchObject({ [kata.read("pid")]: 7 });
    }
    await kata.ok(["delete", "short"]);
  });

  it("is called by absolute path, through a link, from any directory, with an empty environment", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["echo", "works"] });
    const link = join(kata.directory, "my-runtime");
    symlinkSync(RUNTIME, link);
    const result = await runCommand(link, ["--root", kata.root, "run", "-b", path, "anywhere"], {
      cwd: "/proc/sys",
      env: {},
    });
    expect(result).toMatchObject({ stdout: "works", exitCode: 0 });
    const hostile = { NODE_OPTIONS: "--require /nonexistent", NODE_PATH: "/x", LD_LIBRARY_PATH: "/nonexistent" };
    const version = await runCommand(RUNTIME, ["--version"], { env: hostile });
    expect(version).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("OCI specs: 1.2.0") as string });
  });

  it("works while the caller's standard output is closed", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["sh", "-c", "echo lost; exit 4"] });
    const result = await runCommand("/bin/sh", [
      "-c",
      `exec ${RUNTIME} --root ${kata.root} run -b ${path} closed >&- 2>&- <&-`,
    ]);
    expect(result.exitCode).toBe(4);
  });

  it("notices the death of the VM by itself, in the time of a second", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"] });
    const { shim, vm } = recorded(kata, id);
    const shimIdentity = identifyProcess(shim.pid);
    const qemu = vm.processes
      .map(({ pid }) => pid)
      .find((pid) => readFileSync(`/proc/${String(pid)}/cmdline`, "latin1").startsWith("/usr/bin/qemu"));
    process.kill(qemu ?? 0, "SIGKILL");
    expect((await kata.until(id, "stopped")).pid).toBe(0);
    const patience = Date.now() + 2_000;
    while (isAlive(shimIdentity) && Date.now() < patience) await delay(10);
    expect(isAlive(shimIdentity)).toBe(false);
    // The shim ends with its connection, the supervisor has the helpers' ends to wait for.
    const record = join(vm.dir, "exit.json");
    while (readFileSync(record, "utf8") === "" && Date.now() < patience) await delay(10);
    const exit = JSON.parse(readFileSync(record, "utf8")) as {
      reason: string;
      signal: string;
      phase: string;
    };
    expect(exit).toMatchObject({ reason: "qemu-exited", signal: "SIGKILL", phase: "ready" });
    expect((await kata.run(["exec", id, "true"])).stderr).toContain("stopped");
    await kata.ok(["delete", id]);
  });

  it("ends the VM with its supervisor, also when that is killed", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"] });
    const { vm } = recorded(kata, id);
    const all = vm.processes.map(({ pid }) => identifyProcess(pid));
    const [proxy] = all;
    expect(readFileSync(`/proc/${String(proxy?.pid)}/cmdline`, "utf8")).toContain("kata-proxy");
    process.kill(proxy?.pid ?? 0, "SIGKILL");
    await kata.until(id, "stopped");
    while (all.some(isAlive)) await delay(10);
    await kata.ok(["delete", "--force", id]);
  });

  it("rolls a create back whose caller was killed", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["sleep", "1000"] });
    const others = new Set(vms());
    const ours = (): string[] => vms().filter((vm) => !others.has(vm));
    const create = spawn(RUNTIME, ["--root", kata.root, "create", "--bundle", path, "cut"], { stdio: "ignore" });
    // The VM is there, and its guest boots: the barrier is its console.
    while (!ours().some((vm) => existsSync(join(VMS, vm, "console.log")))) await delay(10);
    create.kill("SIGKILL");
    await once(create, "exit");
    while (ours().length > 0) await delay(20);
    expect((await kata.state("cut")).status).toBe("stopped");
    await kata.ok(["delete", "--force", "cut"]);
    expect(existsSync(join(kata.root, "cut"))).toBe(false);
  });
});
