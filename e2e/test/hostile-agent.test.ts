import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { type Lie, LyingAgent } from "../harness/lying-agent.ts";

const ESCAPES = "\u001b]0;owned\u0007\u001b[2J\u009b31m\rfoo\u0000";
const CONTROLS = /[^\P{Cc}\n]/u;
const UNKNOWN = 2;

function refusal(details: string): Lie {
  return () => Promise.reject(Object.assign(new Error(details), { code: UNKNOWN, details }));
}

/** A protobuf field of bytes. */
function field(number: number, bytes: Uint8Array): Buffer {
  const length = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

/** A frame of a process's stream, as PROTOCOL.md has it. */
function frame(kind: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt8(kind, 0);
  header.writeUIntBE(body.length, 1, 3);
  return Buffer.concat([header, body]);
}

const ATTACHED = frame(0x40, Buffer.alloc(0));
const TICKET = field(1, Buffer.alloc(16, 7));

/** The most memory that a process had while it lived, in MiB. */
async function peakOf(child: ChildProcess): Promise<number> {
  let peak = 0;
  const ended = once(child, "exit");
  const timer = setInterval(() => {
    for (const pid of [child.pid, ...childrenOf(child.pid)]) peak = Math.max(peak, highWater(pid));
  }, 5);
  await ended;
  clearInterval(timer);
  return peak / 1024;
}

function childrenOf(pid: number | undefined): number[] {
  try {
    const path = `/proc/${String(pid)}/task/${String(pid)}/children`;
    return readFileSync(path, "latin1").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function highWater(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, "latin1"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** What Node itself takes is some 70 MiB. */
const BOUND_MIB = 200;

describe("an agent that lies", () => {
  expectCleanHost();

  it("with a huge reply is refused, and costs no memory", async () => {
    await using kata = new Kata();
    await using agent = await LyingAgent.start(kata, { listProcesses: () => field(1, Buffer.alloc(256 << 20)) });
    let peak: Promise<number> | undefined;
    const result = await kata.run(["ps", agent.id], {
      onStart: (child) => {
        peak = peakOf(child);
      },
    });
    expect(result).toMatchObject({ exitCode: 1, stdout: "" });
    expect(result.stderr).toContain("Received message larger than max");
    expect(await peak).toBeLessThan(BOUND_MIB);
  });

  it("with bytes that are no message is refused by name", async () => {
    await using kata = new Kata();
    await using agent = await LyingAgent.start(kata, { statsContainer: () => Buffer.from("ffffffffff", "hex") });
    const { exitCode, stderr } = await kata.run(["events", "--stats", agent.id]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("could not get stats of container lied-to");
  });

  it("with escape sequences in its words reaches no terminal and no log", async () => {
    await using kata = new Kata();
    await using agent = await LyingAgent.start(kata, {
      signalProcess: refusal(ESCAPES),
      execFromConfig: refusal(ESCAPES),
      listProcesses: () => field(1, Buffer.from(`PID CMD\n1 ${ESCAPES}\n`)),
    });
    const log = kata.file("log", "");
    for (const verb of [
      ["kill", agent.id, "9"],
      ["exec", agent.id, "true"],
      ["ps", agent.id],
    ]) {
      const { stdout, stderr } = await kata.run(["--log", log, "--debug", ...verb]);
      expect(stdout).not.toMatch(CONTROLS);
      expect(stderr).not.toMatch(CONTROLS);
      expect(`${stdout}${stderr}`).toContain("\\x1b[2J");
    }
    expect(kata.read("log")).not.toMatch(CONTROLS);
    expect(kata.read("log")).toContain("\\x1b[2J");
  });

  it.each([
    [
      "more output than it was given credit for",
      (stream: Socket) => {
        flood(stream, frame(1, Buffer.alloc(1 << 20)));
      },
    ],
    [
      "control frames by the million",
      (stream: Socket) => {
        flood(stream, frame(0x10, Buffer.alloc(4)), 16 << 20);
      },
    ],
    [
      "what is no frame",
      (stream: Socket) => {
        flood(stream, Buffer.alloc(1 << 16, 0xee));
      },
    ],
    [
      "data for standard input",
      (stream: Socket) => {
        flood(stream, frame(0, Buffer.from("x")));
      },
    ],
  ])("in a process's stream, by %s, loses the process, and costs no memory", async (_, lie) => {
    await using kata = new Kata();
    await using agent = await LyingAgent.start(kata, { execFromConfig: () => TICKET }, (stream) => {
      stream.write(ATTACHED);
      lie(stream);
    });
    const args = ["--root", kata.root, "exec", agent.id, "true"];
    const child = spawn(kata.program, args, { stdio: ["ignore", "pipe", "pipe"], timeout: 30_000 });
    child.stdout.resume();
    const peak = peakOf(child);
    expect(await peak).toBeLessThan(BOUND_MIB);
    expect(child.exitCode).toBe(255);
  });

  it.each([256, 1 << 16, 2 ** 32 - 1])(
    "that a process exited with %d is not believed to be a success",
    async (status) => {
      await using kata = new Kata();
      const exit = Buffer.alloc(4);
      exit.writeUInt32BE(status);
      await using agent = await LyingAgent.start(kata, { execFromConfig: () => TICKET }, (stream) => {
        stream.write(Buffer.concat([ATTACHED, frame(0x41, exit)]));
      });
      expect((await kata.run(["exec", agent.id, "true"])).exitCode).toBe(255);
    },
  );

  it("that it ran out of memory a thousand times a second is passed on a few times", async () => {
    await using kata = new Kata();
    let asked = 0;
    await using agent = await LyingAgent.start(kata, {
      statsContainer: () => Buffer.alloc(0),
      getOOMEvent: () => {
        asked += 1;
        return field(1, Buffer.from(asked % 2 === 0 ? "another" : "lied-to"));
      },
    });
    const child = spawn(kata.program, ["--root", kata.root, "events", agent.id], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let told = "";
    child.stdout.on("data", (chunk: Buffer) => {
      told += chunk.toString();
    });
    while (told.split("\n").length < 4) await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(told).not.toContain("another");
    expect(asked).toBeLessThan(20);
  });
});

/** Writes as long as the reader takes it, or so many bytes and then no more. */
function flood(stream: Socket, bytes: Buffer, limit = Number.POSITIVE_INFINITY): void {
  const more = (): void => {
    while (stream.writable && stream.bytesWritten < limit && stream.write(bytes));
    if (stream.bytesWritten >= limit) stream.destroySoon();
  };
  stream.on("drain", more);
  more();
}
