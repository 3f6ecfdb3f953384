import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepShowing } from "./keep-showing.ts";

const MODULE = JSON.stringify(join(import.meta.dirname, "keep-showing.ts"));

describe("what comes while kata logs follows", { timeout: 60_000 }, () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-showing-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("is not shown any more once the caller has interrupted it, however much there is", async () => {
    let count = 0;
    const reader = {
      *read(): Generator<Buffer> {
        while (count < 1000) {
          count += 1;
          yield Buffer.alloc(0);
        }
      },
    };
    const interruption = new AbortController();
    setImmediate(() => {
      interruption.abort();
    });
    await keepShowing(reader, {
      directory,
      dropped: () => ({ old: 0, unwritten: 0 }),
      saidUnwritten: 0,
      hasEnded: async () => Promise.resolve(false),
      signal: interruption.signal,
    });
    expect(count).toBeLessThan(1000);
  });

  it("waits in the files, and not in memory, while the caller's reader takes nothing", async () => {
    const program = `
      import { writeSync } from "node:fs";
      import { setImmediate as turn } from "node:timers/promises";
      import { keepShowing } from ${MODULE};
      const { stdout } = process; // The first use of it makes the pipe one that does not block.
      let count = 0;
      function* read() {
        for (; count < 500; count++) yield Buffer.alloc(65_536);
      }
      const showing = keepShowing({ read }, {
        directory: ${JSON.stringify(directory)},
        dropped: () => ({ old: 0, unwritten: 0 }),
        saidUnwritten: 0,
        hasEnded: async () => true,
        signal: new AbortController().signal,
      });
      while (stdout.writableLength === 0) await turn();
      for (let turns = 0; turns < 1000; turns++) await turn();
      writeSync(2, String(stdout.writableLength));
      process.exit(0);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const waiting = Number(await text(child.stderr));
    expect(waiting).toBeGreaterThan(0);
    expect(waiting).toBeLessThanOrEqual(65_536);
  });

  it("leaves nothing of itself in memory once it is shown", async () => {
    const program = `
      import { keepShowing } from ${MODULE};
      const chunk = Buffer.alloc(0);
      const used = () => (gc(), process.memoryUsage().heapUsed);
      let before, after;
      function* read() {
        for (let count = 0; count < 30_000; count++) {
          if (count === 10_000) before = used();
          yield chunk;
        }
        after = used();
      }
      await keepShowing({ read }, {
        directory: ${JSON.stringify(directory)},
        dropped: () => ({ old: 0, unwritten: 0 }),
        saidUnwritten: 0,
        hasEnded: async () => true,
        signal: new AbortController().signal,
      });
      console.log(after - before);`;
    const node = promisify(execFile);
    const { stdout } = await node(process.execPath, ["--expose-gc", "--input-type=module", "-e", program]);
    expect(Number(stdout), "bytes of 20 000 chunks").toBeLessThan(20_000 * 20);
  });

  it("is not waited with once the caller has interrupted it, either", async () => {
    const program = `
      import { writeSync } from "node:fs";
      import { setImmediate as turn } from "node:timers/promises";
      import { keepShowing } from ${MODULE};
      const { stdout } = process;
      const interruption = new AbortController();
      const showing = keepShowing({ *read() { for (;;) yield Buffer.alloc(65_536); } }, {
        directory: ${JSON.stringify(directory)},
        dropped: () => ({ old: 0, unwritten: 0 }),
        saidUnwritten: 0,
        hasEnded: async () => false,
        signal: interruption.signal,
      });
      while (stdout.writableLength === 0) await turn();
      interruption.abort();
      await showing;
      writeSync(2, "ended");
      process.exit(0);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    expect(await text(child.stderr)).toBe("ended");
  });

  it("is shown to its end, with what a full disk had no room for meanwhile", async () => {
    const program = `
      import { keepShowing } from ${MODULE};
      await keepShowing(
        { *read() { yield Buffer.from("last\\n"); } },
        {
          directory: ${JSON.stringify(directory)},
          dropped: () => ({ old: 0, unwritten: 8 }),
          saidUnwritten: 3,
          hasEnded: async () => true,
          signal: new AbortController().signal,
        },
      );`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
    expect(stdout).toBe("last\n");
    expect(stderr).toBe("kata: 5 bytes of the output are missing, because the disk was full\n");
  });
});
