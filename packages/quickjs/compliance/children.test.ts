import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";

describe("a child that is waited for in place", () => {
  it("has a status and all of its output", () => {
    const script = "read line; echo $line; head -c 200000 /dev/zero >&2; exit 4";
    const { status, signal, stdout, stderr } = spawnSync("sh", ["-c", script], { input: "in\n" });
    expect([status, signal, String(stdout), stderr.length]).toEqual([4, null, "in\n", 200_000]);
    expect(spawnSync("sh", ["-c", "kill -KILL $$"]).signal).toBe("SIGKILL");
    expect(spawnSync("kata-js-none").error).toMatchObject({ code: "ENOENT", syscall: "spawnSync kata-js-none" });
    expect(execFileSync("pwd", { cwd: "/", encoding: "utf8" })).toBe("/\n");
    expect(() => execFileSync("false", [], { stdio: "ignore" })).toThrow(/Command failed: false/);
  });
});

describe("a child", () => {
  it("has streams, and a status after they were read", async () => {
    const child = spawn("sh", ["-c", "read line; echo out $line; echo err >&2; exit 3"]);
    const order: string[] = [];
    for (const name of ["spawn", "exit", "close"]) child.on(name, () => order.push(name));
    child.stdin.end("in\n");
    const closed = once(child, "close");
    expect(await Promise.all([text(child.stdout), text(child.stderr)])).toEqual(["out in\n", "err\n"]);
    expect(await closed).toEqual([3, null]);
    expect(order).toEqual(["spawn", "exit", "close"]);
    expect([child.exitCode, child.signalCode, (child.pid ?? 0) > 0]).toEqual([3, null, true]);
  });

  it("has an environment, a directory, and no other descriptors", async () => {
    const directory = mkdtempSync(join(tmpdir(), "kata-js-"));
    const fd = openSync(join(directory, "file"), "w");
    const own = openSync(join(directory, "own"), "w");
    const script = "echo $NAME $OTHER $PWD; ls -l /proc/self/fd | grep -c /own; echo three >&3";
    const env = { PATH: process.env.PATH, NAME: "value", OTHER: undefined };
    const child = spawn("sh", ["-c", script], { cwd: directory, env, stdio: ["ignore", "pipe", "inherit", fd] });
    closeSync(fd);
    expect([child.stdin, child.stderr]).toEqual([null, null]);
    const said = child.stdout === null ? "" : await text(child.stdout);
    if (child.exitCode === null) await once(child, "close");
    expect(said).toBe(`value ${directory}\n0\n`);
    closeSync(own);
    expect(readFileSync(join(directory, "file"), "utf8")).toBe("three\n");
    rmSync(directory, { recursive: true });
  });

  it("is ended by a signal, by default handling", async () => {
    const child = spawn("sh", ["-c", "kill -PIPE $$; sleep 100"], { stdio: "ignore" });
    expect(await once(child, "exit")).toEqual([null, "SIGPIPE"]);
    const sleeper = spawn("sleep", ["100"], { stdio: "ignore" });
    expect([sleeper.kill("SIGTERM"), sleeper.killed]).toEqual([true, true]);
    expect(await once(sleeper, "exit")).toEqual([null, "SIGTERM"]);
    expect(sleeper.kill()).toBe(false);
  });

  it("leads a session where it is detached", async () => {
    const child = spawn("sh", ["-c", "cut -d' ' -f1,6 /proc/$$/stat"], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    });
    expect((await text(child.stdout)).trim()).toBe(`${String(child.pid)} ${String(child.pid)}`);
  });

  it("that cannot be started says so later", async () => {
    const child = spawn("kata-js-none", ["argument"]);
    expect(child.pid).toBeUndefined();
    const [error] = (await once(child, "error")) as [NodeJS.ErrnoException];
    expect(error).toMatchObject({
      code: "ENOENT",
      errno: -2,
      syscall: "spawn kata-js-none",
      path: "kata-js-none",
      spawnargs: ["argument"],
      message: "spawn kata-js-none ENOENT",
    });
  });
});
