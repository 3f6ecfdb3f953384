import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import {
  availableParallelism,
  constants,
  cpus,
  endianness,
  hostname,
  machine,
  tmpdir,
  totalmem,
  version,
} from "node:os";
import { join } from "node:path";
import { isatty } from "node:tty";
import { format, promisify, stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";

describe("process", () => {
  it("calls the listeners of a signal until they are removed", async () => {
    const heard: unknown[] = [];
    const listener = (...args: unknown[]): void => {
      heard.push(args);
    };
    process.on("SIGUSR2", listener);
    const next = new Promise((resolve) => process.once("SIGUSR2", resolve));
    process.kill(process.pid, "SIGUSR2");
    await next;
    expect(heard).toEqual([["SIGUSR2", constants.signals.SIGUSR2]]);
    process.off("SIGUSR2", listener);
    expect(process.listenerCount("SIGUSR2")).toBe(0);
    const blocked = /^SigBlk:\t(\w+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
    expect(BigInt(`0x${blocked ?? "f"}`) & (1n << BigInt(constants.signals.SIGUSR2 - 1))).toBe(0n);
    expect(process.kill(process.pid, 0)).toBe(true);
    expect(() => process.kill(2 ** 22 + 1, 0)).toThrow(/ESRCH/);
    expect(() => process.kill(process.pid, "SIGNOT")).toThrow(/SIGNOT/);
  });

  it("has each signal's ticks run before the next signal", async () => {
    const order: string[] = [];
    const both: Promise<void> = new Promise((resolve) => {
      for (const name of ["SIGUSR2", "SIGHUP"] as const) {
        process.once(name, () => {
          order.push("signal");
          process.nextTick(() => {
            order.push("tick");
            if (order.length === 4) resolve();
          });
        });
      }
    });
    for (const name of ["SIGUSR2", "SIGHUP"] as const) process.kill(process.pid, name);
    await both;
    expect(order).toEqual(["signal", "tick", "signal", "tick"]);
  });

  it("gets an error for a write that the limit on files does not allow", () => {
    const directory = mkdtempSync(join(tmpdir(), "limited-"));
    const limit = (bytes: string): void => {
      execFileSync("prlimit", ["--pid", String(process.pid), `--fsize=${bytes}:`]);
    };
    try {
      limit("0");
      expect(() => {
        writeFileSync(join(directory, "file"), "text");
      }).toThrow(/EFBIG/);
    } finally {
      limit("unlimited");
      rmSync(directory, { recursive: true });
    }
  });

  it("has an environment of texts", () => {
    process.env.KATA_JS_TEST = 5 as never;
    expect(process.env.KATA_JS_TEST).toBe("5");
    expect("KATA_JS_TEST" in process.env).toBe(true);
    delete process.env.KATA_JS_TEST;
    expect(process.env.KATA_JS_TEST).toBeUndefined();
    expect(Object.keys(process.env)).toContain("PATH");
  });

  it("has a place, a mask and an architecture", () => {
    const before = process.cwd();
    const directory = mkdtempSync(join(tmpdir(), "kata-js-"));
    process.chdir(directory);
    expect(process.cwd()).toBe(directory);
    process.chdir(before);
    rmSync(directory, { recursive: true });
    expect(() => {
      process.chdir(directory);
    }).toThrow(/ENOENT/);
    const mask = process.umask(0o027);
    expect(process.umask(mask)).toBe(0o027);
    expect([process.platform, ["x64", "arm64"].includes(process.arch), process.pid > 0, process.uptime() > 0]).toEqual([
      "linux",
      true,
      true,
      true,
    ]);
  });

  it("reports what is rejected and not handled", async () => {
    const reported: unknown[] = [];
    const listener = (reason: unknown): void => {
      reported.push(reason);
    };
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", listener);
    void Promise.reject(new Error("lost"));
    const handled = Promise.reject(new Error("found"));
    handled.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off("unhandledRejection", listener);
    for (const other of others) process.on("unhandledRejection", other as never);
    expect(reported.map((reason) => (reason as Error).message)).toEqual(["lost"]);
  });
});

describe("os", () => {
  it("names this machine", () => {
    expect(hostname()).toBe(readFileSync("/proc/sys/kernel/hostname", "utf8").trim());
    expect([endianness(), availableParallelism() > 0, constants.signals.SIGKILL, constants.errno.ENOENT]).toEqual([
      "LE",
      true,
      9,
      2,
    ]);
    expect(isatty(999)).toBe(false);
    expect(version()).toBe(readFileSync("/proc/sys/kernel/version", "utf8").trim());
    expect(machine()).toBe(execFileSync("uname", ["-m"], { encoding: "utf8" }).trim());
    expect(totalmem()).toBe(Number(/MemTotal: *(\d+)/.exec(readFileSync("/proc/meminfo", "latin1"))?.[1]) * 1024);
  });

  it("names this machine's processors", () => {
    const models = [...readFileSync("/proc/cpuinfo", "latin1").matchAll(/^model name\t: (.*)$/gm)].map(
      ([, name]) => name,
    );
    expect(cpus().map(({ model }) => model)).toEqual(models);
    const [first] = cpus();
    expect(Object.keys(first ?? {})).toEqual(["model", "speed", "times"]);
    expect(Object.keys(first?.times ?? {})).toEqual(["user", "nice", "sys", "idle", "irq"]);
    expect((first?.times.user ?? 0) + (first?.times.idle ?? 0)).toBeGreaterThan(0);
  });

  it("has a clock that knows when it began", () => {
    const off = performance.timeOrigin + performance.now() - Date.now();
    expect(Math.abs(off)).toBeLessThan(1000);
  });
});

describe("util", () => {
  it("formats", () => {
    expect([format("%s is %d", "it", 5, "more"), format("%%", 1), format("a", "b"), format("%j", { a: 1 })]).toEqual([
      "it is 5 more",
      "% 1",
      "a b",
      '{"a":1}',
    ]);
    expect(stripVTControlCharacters("\u001b[31mred\u001b[0m")).toBe("red");
  });

  it("makes promises of callbacks", async () => {
    const call = promisify((value: number, done: (error: Error | null, result?: number) => void) => {
      if (value < 0) done(new Error("negative"));
      else done(null, value + 1);
    });
    expect(await call(1)).toBe(2);
    await expect(call(-1)).rejects.toThrow("negative");
  });
});
