import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { isEndOfStream } from "@kata-ts/agent-protocol";
import { describe, expect, it } from "vitest";
import { createProcessPipes, type OutputPipe, type ProcessPipes } from "./stdio.ts";

const never = new AbortController().signal;

async function readAll(pipe: OutputPipe, limit = 1000): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (;;) {
    try {
      const piece = await pipe.read(limit, never);
      expect(piece.length).toBeLessThanOrEqual(limit);
      pieces.push(piece);
    } catch (error) {
      if (isEndOfStream(error)) return Buffer.concat(pieces);
      throw error;
    }
  }
}

function run(script: string): { pipes: ProcessPipes; pid: number; exited: Promise<unknown> } {
  const pipes = createProcessPipes();
  const child = spawn("/bin/sh", ["-c", script], { stdio: [...pipes.childFds] });
  pipes.closeChildFds();
  const exited = once(child, "exit").then(() => {
    pipes.stdout.processEnded();
    pipes.stderr.processEnded();
  });
  return { pipes, pid: child.pid ?? 0, exited };
}

/** The kernel function that a process sleeps in. */
function sleepsWriting(pid: number): boolean {
  return readFileSync(`/proc/${String(pid)}/wchan`, "latin1").includes("pipe_write");
}

async function childOf(pid: number): Promise<number> {
  for (;;) {
    const child = Number.parseInt(readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, "latin1"), 10);
    if (!Number.isNaN(child)) return child;
    await new Promise(setImmediate);
  }
}

describe("a process's pipes", () => {
  it.each([0, 1, 999, 65_535, 65_536, 65_537, 1_048_577])(
    "deliver %d bytes, all of them, also after the exit",
    async (size) => {
      const { pipes, exited } = run(`head -c ${String(size)} /dev/zero`);
      if (size < 60_000) await exited;
      expect((await readAll(pipes.stdout, 32_768)).length).toBe(size);
      expect((await readAll(pipes.stderr)).length).toBe(0);
    },
  );

  it("are real pipes: a program may open them anew", async () => {
    const { pipes } = run("echo again > /dev/stdout; echo and again > /proc/self/fd/2");
    expect((await readAll(pipes.stdout)).toString()).toBe("again\n");
    expect((await readAll(pipes.stderr)).toString()).toBe("and again\n");
  });

  it("carry input until it is ended, and say when nobody reads it", async () => {
    const { pipes, exited } = run("cat; exec <&-; sleep 0.1");
    const data = Buffer.alloc(200_000, "x");
    const written = pipes.stdin.write(data);
    const read = readAll(pipes.stdout, 65_536);
    expect(await written).toBe(data.length);
    pipes.stdin.end();
    expect((await read).equals(data)).toBe(true);
    await exited;
    expect(await pipes.stdin.write(Buffer.from("late"))).toBe(0);
  });

  it("stop a process whose output nobody reads", async () => {
    const { pipes, pid } = run("head -c 10000000 /dev/zero; echo done >&2");
    await pipes.stdout.read(1, never);
    while (!sleepsWriting(await childOf(pid))) await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await readAll(pipes.stdout, 1_000_000)).length).toBe(9_999_999);
    expect((await readAll(pipes.stderr)).toString()).toBe("done\n");
  });

  it("end after their process although a child of it holds them open, with what the child wrote meanwhile", async () => {
    const { pipes, exited } = run("echo first; (sleep 0.1; echo second; exec sleep 5) & exit 0");
    await exited;
    const began = Date.now();
    expect((await readAll(pipes.stdout)).toString()).toBe("first\nsecond\n");
    expect(Date.now() - began).toBeLessThan(4_000);
  });

  it("end a read whose caller goes away, and lose nothing", async () => {
    const { pipes } = run("read line; echo $line");
    const abort = new AbortController();
    const read = pipes.stdout.read(10, abort.signal);
    abort.abort();
    expect((await read).length).toBe(0);
    await pipes.stdin.write(Buffer.from("kept\n"));
    expect((await readAll(pipes.stdout)).toString()).toBe("kept\n");
  });
});
