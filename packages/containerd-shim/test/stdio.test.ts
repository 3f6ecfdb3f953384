import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { RpcStatus } from "@kata-ts/agent-protocol/ttrpc";
import { openPollable } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStdio } from "../src/stdio/open-stdio.ts";
import type { StdioRequest, TaskStdio } from "../src/stdio/stdio.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stdio-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function fifo(name: string): string {
  const path = join(directory, name);
  execFileSync("mkfifo", [path]);
  return path;
}

function open(request: Partial<StdioRequest>): Promise<TaskStdio> {
  const nowhere = { stdin: "", stdout: "", stderr: "", terminal: false };
  return openStdio({ ...nowhere, ...request }, { id: "web", namespace: "test" });
}

/** Reads what an engine would. */
function reader(path: string): Promise<string> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return text(openPollable(fd, { readable: true, writable: false }));
}

function written(output: Writable, data: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(data, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

describe("an output into a fifo", () => {
  it("waits for a reader that comes late, also after the process has ended", async () => {
    const stdout = fifo("stdout");
    const stdio = await open({ stdout });
    stdio.stdout.end("all of it");
    await once(stdio.stdout, "close");
    expect(await reader(stdout)).toBe("all of it");
    await stdio.close();
  });

  it("goes on when its reader has gone and another one comes", async () => {
    const stdout = fifo("stdout");
    const stdio = await open({ stdout });
    closeSync(openSync(stdout, constants.O_RDONLY | constants.O_NONBLOCK));
    await written(stdio.stdout, "one ");
    const read = reader(stdout);
    stdio.stdout.end("two");
    expect(await read).toBe("one two");
    await stdio.close();
  });

  it("waits while the fifo is full, and then loses nothing", async () => {
    const stdout = fifo("stdout");
    const stdio = await open({ stdout });
    const large = "x".repeat(300_000);
    const delivered = written(stdio.stdout, large);
    stdio.stdout.end();
    expect(await reader(stdout)).toBe(large);
    await delivered;
    await stdio.close();
  });

  it("ends by close, where nothing has read it", async () => {
    const stdout = fifo("stdout");
    const stdio = await open({ stdout });
    await written(stdio.stdout, "left over");
    const read = reader(stdout);
    await stdio.close();
    expect(await read).toBe("left over");
  });
});

describe("an input from a fifo", () => {
  it("outlives its writer, until its end is asked for", async () => {
    const stdin = fifo("stdin");
    const stdio = await open({ stdin });
    const read = text(stdio.stdin);
    for (const word of ["one ", "two"]) {
      const writer = openSync(stdin, constants.O_WRONLY | constants.O_NONBLOCK);
      writeSync(writer, word);
      closeSync(writer);
    }
    stdio.closeStdin();
    expect(await read).toBe("one two");
    await stdio.close();
  });
});

describe("other places for outputs", () => {
  it("is a program that is given both", async () => {
    const logger = join(directory, "logger");
    const copies = `cat <&3 >"$2/out" 5>&- & cat <&4 >"$2/err" 5>&- & exec 3<&- 4<&- 5>&-; wait`;
    writeFileSync(logger, `#!/bin/sh\necho "$1 $CONTAINER_ID $CONTAINER_NAMESPACE" >"$2/id"\n${copies}\n`, {
      mode: 0o755,
    });
    const stdio = await open({ stdout: `binary://${logger}?directory=${directory}` });
    await written(stdio.stdout, "to stdout");
    await written(stdio.stderr, "to stderr");
    await stdio.close();
    const found = ["id", "out", "err"].map((name) => readFileSync(join(directory, name), "utf8"));
    expect(found).toEqual(["directory web test\n", "to stdout", "to stderr"]);
  });

  it("is a file that both are appended to", async () => {
    const path = join(directory, "logs", "web.log");
    for (const word of ["one", "two"]) {
      const stdio = await open({ stdout: `file://${path}` });
      await written(stdio.stdout, `${word} out\n`);
      await written(stdio.stderr, `${word} err\n`);
      await stdio.close();
    }
    expect(readFileSync(path, "utf8")).toBe("one out\none err\ntwo out\ntwo err\n");
  });

  it("is none that is not known, or not there", async () => {
    await expect(open({ stdout: "ftp://example" })).rejects.toMatchObject({ status: RpcStatus.InvalidArgument });
    await expect(open({ stdout: join(directory, "none") })).rejects.toMatchObject({ status: RpcStatus.NotFound });
    await expect(open({ stdin: join(directory, "none") })).rejects.toMatchObject({ status: RpcStatus.NotFound });
    await expect(open({ stdout: `binary://${directory}/none` })).rejects.toThrow(/logger .* is not ready: .*ENOENT/);
  });
});
