import { closeSync } from "node:fs";
import { text } from "node:stream/consumers";
import { createPipe, LinuxError, openPollable, type StandardDescriptors, spawnProcess } from "@kata-ts/linux";
import type { Reaper } from "./reaper.ts";

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const DEADLINE_MS = 30_000;
/** What a shell says of a program that could not be started. */
const NOT_STARTED = 127;

/** Runs the guest's small helper programs. */
export class Commands {
  readonly #reaper: Reaper;

  constructor(reaper: Reaper) {
    this.#reaper = reaper;
  }

  /**
   * Never rejects for a failing command: its status shows the failure (127 when it could not be started).
   *
   * @param input what it reads from its standard input
   */
  async run(file: string, args: readonly string[], input = ""): Promise<CommandResult> {
    const [stdin, stdout, stderr] = [createPipe(), createPipe(), createPipe()];
    const ends = [stdin.read, stdout.write, stderr.write] as const;
    const status = this.runWith(ends, file, args);
    for (const end of ends) closeSync(end);
    const writer = openPollable(stdin.write, { readable: false, writable: true });
    writer.on("error", () => undefined); // It ended before it had read all: its status shows why.
    writer.end(input);
    const [written, complaint] = [readAll(stdout.read), readAll(stderr.read)];
    return { status: await status, stdout: await written, stderr: await complaint };
  }

  /** As run(), with these descriptors, which stay the caller's. @returns the status, or 128 + signal */
  async runWith(descriptors: StandardDescriptors, file: string, args: readonly string[]): Promise<number> {
    const pid = start(file, args, descriptors);
    if (pid === undefined) return NOT_STARTED;
    // No other process has its pid until it is collected.
    const timer = setTimeout(() => process.kill(pid, "SIGKILL"), DEADLINE_MS);
    try {
      return await this.#reaper.wait(pid);
    } finally {
      clearTimeout(timer);
    }
  }
}

function start(file: string, args: readonly string[], descriptors: StandardDescriptors): number | undefined {
  try {
    return spawnProcess(file, args, descriptors);
  } catch (error) {
    if (error instanceof LinuxError) return undefined;
    throw error;
  }
}

function readAll(pipe: number): Promise<string> {
  return text(openPollable(pipe, { readable: true, writable: false }));
}
