import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { pythonRootfs } from "../harness/images.ts";
import { RUNTIMES } from "../harness/runtimes.ts";

/**
 * Python from the distribution, which writes each signal that it gets by its number. It waits for them blocked: a handler would
 * be lost sight of where the signal comes between Python's look for handlers to run and pause(2).
 */
const LISTENER = `
import os, signal
signals = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
os.write(1, b"ready\\n")
while True: os.write(1, b"%d\\n" % signal.sigwait(signals))
`;

/** Three processes that each wait for SIGTERM, blocked since before they began; the first one ends last. */
const FAMILY = `
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
children = []
while len(children) < 2:
    child = os.fork()
    if child == 0: break
    children.append(child)
os.write(1, b"ready\\n")
signal.sigwait({signal.SIGTERM})
if child != 0:
    for each in children: os.waitpid(each, 0)
os.write(1, b"told\\n")
`;

/** KILL and STOP cannot be caught, 32 and 33 are the C library's. */
const CATCHABLE = Array.from({ length: 64 }, (_, index) => index + 1).filter((n) => ![9, 19, 32, 33].includes(n));

/** What a shim can catch, which is what Node can, but for what is about the shim itself. */
const BY_THE_SHIM = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGTERM",
  "SIGCONT",
  "SIGTSTP",
] as const;

/** What a signal may take: a lost one is named. */
const LINE_DEADLINE_MS = 60_000;

class Lines {
  #text = "";
  #ended = false;
  #changed: () => void = () => undefined;

  constructor(child: ChildProcess) {
    child.stdout?.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString();
      this.#changed();
    });
    child.once("close", () => {
      this.#ended = true;
      this.#changed();
    });
  }

  async until(line: string): Promise<void> {
    const late = AbortSignal.timeout(LINE_DEADLINE_MS);
    late.addEventListener("abort", () => {
      this.#changed();
    });
    while (!this.#text.split("\n").includes(line)) {
      if (this.#ended) throw new Error(`ended before ${line}: ${this.#text}`);
      if (late.aborted) throw new Error(`did not come to ${line}: ${this.#text}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    this.#text = this.#text
      .split("\n")
      .filter((each) => each !== line)
      .join("\n");
  }
}

describe.each(RUNTIMES)("signals under %s", (name, open) => {
  expectCleanHost();

  it("reach the process, each by its number and by its name, also real-time ones", async () => {
    await using runtime = open();
    const { path } = await runtime.bundle({ args: ["python3", "-c", LISTENER], image: await pythonRootfs() });
    const pidFile = join(runtime.directory, "pid");
    const args = ["--root", runtime.root, "run", "--bundle", path, "--pid-file", pidFile, "listener"];
    const child = spawn(runtime.program, args, { stdio: ["ignore", "pipe", "inherit"] });
    const lines = new Lines(child);
    await lines.until("ready");
    for (const number of CATCHABLE) {
      await runtime.ok(["kill", "listener", String(number)]);
      await lines.until(String(number));
    }
    for (const [signal, number] of Object.entries(constants.signals)) {
      if (!CATCHABLE.includes(number) || ["SIGPOLL", "SIGSTKFLT", "SIGUNUSED", "SIGIOT"].includes(signal)) continue;
      await runtime.ok(["kill", "listener", number % 2 === 0 ? signal : signal.slice(3).toLowerCase()]);
      await lines.until(String(number));
    }
    const pid = Number(readFileSync(pidFile, "utf8"));
    for (const signal of BY_THE_SHIM) {
      process.kill(pid, signal);
      await lines.until(String(constants.signals[signal]));
    }
    for (const number of CATCHABLE.filter((each) => each >= 34)) {
      process.kill(pid, number);
      await lines.until(String(number));
    }
    // Signals to the call that runs it in the foreground reach it, too.
    for (const number of [constants.signals.SIGUSR1, 40]) {
      process.kill(child.pid ?? 0, number);
      await lines.until(String(number));
    }
    // One that ignores SIGTERM goes on, as everywhere.
    expect((await runtime.state("listener")).status).toBe("running");
    await runtime.ok(["kill", "listener", "KILL"]);
    await once(child, "exit");
    expect(child.exitCode).toBe(128 + 9);
  }, 300_000);

  it("that end a process are its status, whatever sent them", async () => {
    await using runtime = open();
    const id = await runtime.start({ args: ["sleep", "1000"] });
    for (const signal of ["SIGTERM", "SIGINT", "SIGUSR1", "SIGKILL"] as const) {
      const pidFile = join(runtime.directory, `${signal}.pid`);
      const args = [
        "--root",
        runtime.root,
        "exec",
        "--pid-file",
        pidFile,
        id,
        "sh",
        "-c",
        "echo ready; exec sleep 1000",
      ];
      const child = spawn(runtime.program, args, { stdio: ["ignore", "pipe", "inherit"] });
      await new Lines(child).until("ready");
      while (!existsSync(pidFile)) await new Promise(setImmediate); // It is written after the start.
      process.kill(Number(readFileSync(pidFile, "utf8")), signal);
      await once(child, "exit");
      if (signal !== "SIGKILL" || name === "runc") expect(child.exitCode).toBe(128 + constants.signals[signal]);
    }
    // Also the one that could not be passed on took its process with it.
    // One call takes longer than a poll may, by default, on a busy host.
    const left = async (): Promise<number | undefined> =>
      (await runtime.ok(["exec", id, "ps"])).match(/sleep 1000/g)?.length;
    await expect.poll(left, { timeout: 60_000 }).toBe(1);
  });

  it("reach every process with --all, and a paused container", async () => {
    await using runtime = open();
    const id = await runtime.start({ args: ["sh", "-c", "sleep 1000 & sleep 1000 & wait"] });
    await runtime.ok(["pause", id]);
    await runtime.ok(["kill", id, "KILL"]);
    await runtime.ok(["resume", id]).catch(() => undefined);
    await runtime.until(id, "stopped");
    expect((await runtime.run(["kill", id, "KILL"])).stderr).toContain("container not running");

    const { path } = await runtime.bundle({ args: ["python3", "-c", FAMILY], image: await pythonRootfs() });
    const child = spawn(runtime.program, ["--root", runtime.root, "run", "--bundle", path, "all"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    while (output.split("ready").length < 4) await once(child.stdout, "data");
    await runtime.ok(["kill", "--all", "all", "TERM"]);
    await once(child, "close");
    expect(output.split("told").length).toBe(4);
  });
});
