import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

/** Also where an error comes first. */
function exitOf(child: ChildProcess): Promise<unknown[]> {
  return new Promise((resolve) => {
    child.on("exit", (...given) => {
      resolve(given);
    });
  });
}

describe("a child that is waited for in place", () => {
  it("has a status and all of its output", () => {
    const script = "read line; echo $line; head -c 200000 /dev/zero >&2; exit 4";
    const { status, signal, stdout, stderr } = spawnSync("sh", ["-c", script], { input: "in\n" });
    expect([status, signal, String(stdout), stderr.length]).toEqual([4, null, "in\n", 200_000]);
    expect(spawnSync("sh", ["-c", "kill -KILL $$"]).signal).toBe("SIGKILL");
    const deaf = spawnSync("sh", ["-c", "exec 0<&-; sleep 0.1; echo out"], {
      input: "x".repeat(50_000),
      encoding: "utf8",
    });
    expect([deaf.status, deaf.stdout]).toEqual([0, "out\n"]);
    expect(spawnSync("kata-js-none").error).toMatchObject({ code: "ENOENT", syscall: "spawnSync kata-js-none" });
    expect(execFileSync("pwd", { cwd: "/", encoding: "utf8" })).toBe("/\n");
    expect(() => execFileSync("false", [], { stdio: "ignore" })).toThrow(/Command failed: false/);
  });

  it("is written to while it writes, and writes no more than it may", () => {
    const input = Buffer.alloc(600_000, "line\n");
    expect(spawnSync("cat", { input }).stdout.equals(input)).toBe(true);
    const much = spawnSync("sh", ["-c", "cat; sleep 1000"], { input, maxBuffer: 100_000, killSignal: "SIGKILL" });
    expect(much).toMatchObject({ error: { code: "ENOBUFS" }, signal: "SIGKILL" });
    expect(much.stdout.length).toBeGreaterThanOrEqual(100_000);
  });

  it("has a time, and what it has written until that is over", () => {
    const late = spawnSync("sh", ["-c", "echo out; exec sleep 1000"], { timeout: 200, encoding: "utf8" });
    expect([late.status, late.signal, late.stdout]).toEqual([null, "SIGTERM", "out\n"]);
    expect(late.error).toMatchObject({ code: "ETIMEDOUT", errno: -110, syscall: "spawnSync sh" });
    const quiet = { timeout: 50, killSignal: "SIGKILL", stdio: "ignore" } as const;
    expect(spawnSync("sleep", ["1000"], quiet)).toMatchObject({ status: null, signal: "SIGKILL" });
    expect(() => execFileSync("sleep", ["1000"], quiet)).toThrow(/ETIMEDOUT/);
    expect(spawnSync("true", [], { timeout: 100_000 })).toMatchObject({ status: 0, signal: null });
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

  it("may have no more than its time", async () => {
    const child = spawn("sleep", ["1000"], { stdio: "ignore", timeout: 50 });
    expect(await once(child, "exit")).toEqual([null, "SIGTERM"]);
    const killed = spawn("sleep", ["1000"], { stdio: "ignore", timeout: 50, killSignal: "SIGKILL" });
    expect(await once(killed, "exit")).toEqual([null, "SIGKILL"]);
  });

  it("is ended where its caller gives up", async () => {
    const given = new AbortController();
    const child = spawn("sleep", ["1000"], { stdio: "ignore", signal: given.signal, killSignal: "SIGKILL" });
    const [failed, ended] = [once(child, "error"), exitOf(child)];
    given.abort(new Error("enough"));
    expect(await failed).toMatchObject([{ name: "AbortError", code: "ABORT_ERR", cause: { message: "enough" } }]);
    expect(await ended).toEqual([null, "SIGKILL"]);
    const late = spawn("sleep", ["1000"], { stdio: "ignore", signal: AbortSignal.abort() });
    const lateEnd = exitOf(late);
    expect(await once(late, "error")).toMatchObject([{ code: "ABORT_ERR" }]);
    expect(await lateEnd).toEqual([null, "SIGTERM"]);
    const over = spawn("true", { stdio: "ignore", signal: AbortSignal.timeout(100_000) });
    expect(await once(over, "exit")).toEqual([0, null]);
    await expect(promisify(execFile)("sleep", ["1000"], { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
      code: "ABORT_ERR",
    });
  });

  it("has as many descriptors as it is given, also of streams", async () => {
    const other = spawn("cat", { stdio: ["pipe", "ignore", "ignore"] });
    const stdio = ["ignore", "pipe", "inherit", null, "ignore", other.stdin] as const;
    const child = spawn("sh", ["-c", "cd /proc/self/fd; for n in 3 4 5; do [ -e $n ] && echo $n; done; :"], {
      stdio: [...stdio],
    });
    expect(child.stdout === null ? "" : await text(child.stdout)).toBe("5\n");
    other.stdin.end();
    expect(await once(other, "exit")).toEqual([0, null]);
  });

  it("is not sent what is no signal", async () => {
    const child = spawn("sleep", ["1000"], { stdio: "ignore" });
    expect(() => child.kill("SIGNONE" as never)).toThrow(expect.objectContaining({ code: "ERR_UNKNOWN_SIGNAL" }));
    expect(() => spawn("true", { killSignal: "SIGNONE" as never })).toThrow(/SIGNONE/);
    expect(() => spawn("true", { timeout: -1 })).toThrow(expect.objectContaining({ code: "ERR_OUT_OF_RANGE" }));
    expect(() => spawnSync("true", { stdio: "nothing" as never })).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }),
    );
    child.kill();
    expect(await once(child, "exit")).toEqual([null, "SIGTERM"]);
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

describe("a program by its name", () => {
  it("is looked for where the environment says that it gets", async () => {
    const directory = mkdtempSync(join(tmpdir(), "kata-js-"));
    const programs = ["first", "second", "third"].map((name) => join(directory, name));
    mkdirSync(join(directory, "first/kata-js-own"), { recursive: true });
    for (const each of programs.slice(1)) mkdirSync(each);
    writeFileSync(join(directory, "second/kata-js-own"), "no program", { mode: 0o644 });
    writeFileSync(join(directory, "third/kata-js-own"), "#!/bin/sh\necho $0 $1\n", { mode: 0o755 });
    const env = { PATH: programs.join(":") };
    const child = spawn("kata-js-own", ["argument"], { env, stdio: ["ignore", "pipe", "inherit"] });
    expect(await text(child.stdout)).toBe(`${directory}/third/kata-js-own argument\n`);
    expect(spawnSync("kata-js-own", [], { env: { PATH: programs.slice(0, 2).join(":") } }).error).toMatchObject({
      code: "EACCES",
    });
    expect(spawnSync("kata-js-own", [], { env: { PATH: directory } }).error).toMatchObject({ code: "ENOENT" });
    rmSync(directory, { recursive: true });
  });
});

describe("a program that is run to its end", () => {
  const run = promisify(execFile);

  it("gives both of its outputs", async () => {
    expect(await run("sh", ["-c", "echo out; echo err >&2"])).toEqual({ stdout: "out\n", stderr: "err\n" });
    const { stdout } = await run("sh", ["-c", "printf '\\377'; cd /; pwd >&2"], { encoding: "buffer", cwd: "/" });
    expect(stdout).toEqual(Buffer.from([0xff]));
    const seen = await new Promise((resolve) => {
      execFile("sh", ["-c", "echo $NAME"], { env: { PATH: process.env.PATH, NAME: "value" } }, (...given) => {
        resolve(given);
      });
    });
    expect(seen).toEqual([null, "value\n", ""]);
  });

  it("may be written to", async () => {
    const running = run("cat");
    running.child.stdin?.end("typed");
    expect((await running).stdout).toBe("typed");
  });

  it("fails with its status and what it has written", async () => {
    await expect(run("sh", ["-c", "echo out; echo err >&2; exit 3"])).rejects.toMatchObject({
      code: 3,
      killed: false,
      signal: null,
      cmd: "sh -c echo out; echo err >&2; exit 3",
      stdout: "out\n",
      stderr: "err\n",
      message: "Command failed: sh -c echo out; echo err >&2; exit 3\nerr\n",
    });
    await expect(run("sh", ["-c", "kill -TERM $$"])).rejects.toMatchObject({
      code: null,
      killed: false,
      signal: "SIGTERM",
    });
  });

  it("fails where it cannot be started", async () => {
    await expect(run("kata-js-none", ["argument"])).rejects.toMatchObject({
      code: "ENOENT",
      syscall: "spawn kata-js-none",
      cmd: "kata-js-none argument",
      stdout: "",
      stderr: "",
    });
  });

  it("is ended where it takes too long", async () => {
    const options = { timeout: 50, killSignal: "SIGKILL" } as const;
    const failed = run("sh", ["-c", "exec sleep 1000"], options);
    await expect(failed).rejects.toMatchObject({ code: null, killed: true, signal: "SIGKILL" });
    const ended = failed.child;
    expect([ended.exitCode, ended.signalCode]).toEqual([null, "SIGKILL"]);
  });

  it("is ended where it writes too much", async () => {
    const failed = run("sh", ["-c", "while echo line; do :; done"], { maxBuffer: 10 });
    await expect(failed).rejects.toMatchObject({
      code: "ERR_CHILD_PROCESS_STDIO_MAXBUFFER",
      message: "stdout maxBuffer length exceeded",
      stdout: "line\nline\n",
    });
  });
});
