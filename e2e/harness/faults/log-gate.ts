import { execFileSync } from "node:child_process";
import { closeSync, constants, linkSync, openSync, readFileSync, readSync, renameSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** What the kernel calls the wait of a process that opens a FIFO without another end, as it was compiled. */
const WAITS: readonly string[] = ["wait_for_partner", "fifo_open"];
const LINE_BYTES = 64 * 1024;

/**
 * A log that its writer cannot go on behind the back of: a FIFO, which is opened for each line. The writer waits in that until the
 * line is read, and for the next one there is another FIFO by then, that it waits at again.
 */
export class LogGate {
  readonly #path: string;
  #text = "";

  constructor(path: string) {
    this.#path = path;
    makeFifo(path);
  }

  /** All lines that were read. */
  get text(): string {
    return this.#text;
  }

  /** Lets the process write a line where it waits for that. @returns whether it did */
  pass(pid: number): boolean {
    if (!waitsAtFifo(pid)) return false;
    const taken = `${this.#path}.taken`;
    // While the writer waits in the one that it has found, the path leads to another.
    linkSync(this.#path, taken);
    makeFifo(`${this.#path}.next`);
    renameSync(`${this.#path}.next`, this.#path);
    const fd = openSync(taken, constants.O_RDONLY);
    try {
      const bytes = Buffer.alloc(LINE_BYTES);
      for (let read = readSync(fd, bytes); read > 0; read = readSync(fd, bytes)) {
        this.#text += bytes.toString("utf8", 0, read);
      }
    } finally {
      closeSync(fd);
      rmSync(taken);
    }
    return true;
  }

  /** As pass(), as soon as the process waits. @throws the signal's reason */
  async passNext(pid: number, signal: AbortSignal): Promise<void> {
    while (!this.pass(pid)) await delay(1, undefined, { signal });
  }
}

function makeFifo(path: string): void {
  execFileSync("mkfifo", [path]);
}

function waitsAtFifo(pid: number): boolean {
  try {
    return WAITS.includes(readFileSync(`/proc/${String(pid)}/wchan`, "latin1"));
  } catch {
    return false;
  }
}
