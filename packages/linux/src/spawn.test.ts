import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

const LIB = new URL("../dist/index.js", import.meta.url).href;

/** A parent of its own: a process that collects children would collect those of the test runner, too. */
function inOwnProcess(body: string): unknown {
  const program = `
    import { createPipe, reapChild, spawnProcess } from ${JSON.stringify(LIB)};
    import { closeSync, openSync, readFileSync } from "node:fs";
    const nothing = openSync("/dev/null", "r+");
    const ended = async () => {
      for (;;) {
        const child = reapChild();
        if (child !== undefined) return child;
        await new Promise(setImmediate);
      }
    };
    const said = async (...args) => {
      const { read, write } = createPipe();
      spawnProcess("sh", ["-c", ...args], [nothing, write, nothing]);
      closeSync(write);
      await ended();
      return readFileSync(read, "utf8");
    };
    console.log(JSON.stringify(await (async () => { ${body} })()));
  `;
  const env = { ...process.env, KATA_SPAWN_TEST: "seen" };
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", program], { timeout: 30_000, env, cwd: "/" });
  expect(run.stderr.toString()).toBe("");
  return JSON.parse(run.stdout.toString());
}

describe("spawnProcess", () => {
  it("gives a program its arguments, environment and working directory", () => {
    expect(inOwnProcess(`return said('echo "$0 $1 $KATA_SPAWN_TEST $PWD"', "a b", "c")`)).toBe("a b c seen /\n");
  });

  it("gives it none of the descriptors that this process opened but the three", () => {
    const body = `
      const opened = [openSync("/dev/null"), ...Object.values(createPipe())].map(String);
      const childs = (await said("exec ls /proc/self/fd")).trim().split("\\n");
      return [childs.slice(0, 3), childs.filter((fd) => opened.includes(fd))];
    `;
    expect(inOwnProcess(body)).toEqual([["0", "1", "2"], []]);
  });

  it("gives it the usual handling of signals, which Node changes for itself", () => {
    const body = `spawnProcess("sh", ["-c", "kill -PIPE $$"], [nothing, nothing, nothing]); return (await ended()).signal`;
    expect(inOwnProcess(body)).toBe(13);
    expect(inOwnProcess(`return said("grep -E 'Sig(Blk|Ign)' /proc/self/status")`)).toBe(
      "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n",
    );
  });

  it("names the program that cannot be started, and leaves no child", () => {
    const body = `
      try { spawnProcess("kata-no-such-program", [], [nothing, nothing, nothing]); }
      catch (error) { return [error.code, error.errno, error.message, reapChild() ?? null]; }
    `;
    const message = "posix_spawn kata-no-such-program: ENOENT";
    expect(inOwnProcess(body)).toEqual(["KATA_LINUX", "ENOENT", message, null]);
  });
});
