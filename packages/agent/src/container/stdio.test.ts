import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Output } from "./output.ts";
import { type ProcessStdio, pipeEnds } from "./stdio.ts";

async function readAll(output: Output | undefined, limit = 1000): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = await output?.read(limit);
    if (piece === undefined) return Buffer.concat(pieces);
    expect(piece.length).toBeLessThanOrEqual(limit);
    pieces.push(piece);
  }
}

async function run(script: string): Promise<{ pipes: ProcessStdio; pid: number; exited: Promise<unknown> }> {
  const ends = pipeEnds();
  const child = spawn("/bin/sh", ["-c", script], { stdio: [...(ends.fds ?? [])] });
  const pipes = await ends.take();
  ends.dispose();
  const exited = once(child, "exit").then(() => {
    pipes.stdout.processEnded();
    pipes.stderr?.processEnded();
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
      const { pipes, exited } = await run(`head -c ${String(size)} /dev/zero`);
      if (size < 1_000_000) await exited;
      expect((await readAll(pipes.stdout, 32_768)).length).toBe(size);
      expect((await readAll(pipes.stderr)).length).toBe(0);
    },
  );

  it("are real pipes: a program may open them anew", async () => {
    const { pipes } = await run("echo again > /dev/stdout; echo and again > /proc/self/fd/2");
    expect((await readAll(pipes.stdout)).toString()).toBe("again\n");
    expect((await readAll(pipes.stderr)).toString()).toBe("and again\n");
  });

  it("carry input until it is ended, and say when its reader has closed", async () => {
    const { pipes, exited } = await run("cat; exec <&-; sleep 0.1");
    const data = Buffer.alloc(200_000, "x");
    const written = pipes.stdin.write(data);
    const read = readAll(pipes.stdout, 65_536);
    expect(await written).toBe(true);
    pipes.stdin.end();
    expect((await read).equals(data)).toBe(true);
    await exited;
    expect(await pipes.stdin.write(Buffer.from("late"))).toBe(false);
  });

  it("stop a process whose output is not read", async () => {
    const { pipes, pid } = await run("head -c 10000000 /dev/zero; echo done >&2");
    await pipes.stdout.read(1);
    while (!sleepsWriting(await childOf(pid))) await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await readAll(pipes.stdout, 1_000_000)).length).toBe(9_999_999);
    expect((await readAll(pipes.stderr)).toString()).toBe("done\n");
  });

  it("end after their process although a child of it holds them open, with what the child wrote meanwhile", async () => {
    const { pipes, exited } = await run("echo first; (sleep 0.1; echo second; exec sleep 5) & exit 0");
    await exited;
    const began = Date.now();
    expect((await readAll(pipes.stdout)).toString()).toBe("first\nsecond\n");
    expect(Date.now() - began).toBeLessThan(4_000);
  });

  it("end after their process also when a child of it never stops writing", async () => {
    const { pipes, exited } = await run("yes & sleep 0.1; exit 0");
    await exited;
    // What it has written until its end is noticed is as much as the machine is slow: it is not kept.
    expect((await pipes.stdout.read(1_000_000))?.length).toBeGreaterThan(0);
    while ((await pipes.stdout.read(1_000_000)) !== undefined);
  });

  it("show the process that the reader of an output is gone", async () => {
    const { pipes, exited } = await run("trap '' PIPE; while echo y 2>/dev/null; do :; done; echo gone >&2");
    await pipes.stdout.read(1);
    pipes.stdout.destroy();
    expect((await readAll(pipes.stderr)).toString()).toContain("gone");
    await exited;
  });

  it("end a read whose caller goes away, and lose nothing", async () => {
    const { pipes } = await run("read line; echo $line");
    const abort = new AbortController();
    const read = pipes.stdout.read(10, abort.signal);
    abort.abort();
    expect((await read)?.length).toBe(0);
    await pipes.stdin.write(Buffer.from("kept\n"));
    expect((await readAll(pipes.stdout)).toString()).toBe("kept\n");
  });
});
