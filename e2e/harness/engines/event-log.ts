import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";

/** What `ctr events` prints, line by line. */
export class EventLog implements Disposable {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #reader: Interface;

  /** @param args of nsenter */
  constructor(args: readonly string[]) {
    const child = spawn("nsenter", args, { stdio: ["ignore", "pipe", "ignore"] });
    this.#child = child;
    this.#reader = createInterface(child.stdout);
    this.#reader.on("line", (line) => this.lines.push(line));
  }

  /** Resolves with the first line that matches. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      await once(this.#reader, "line");
    }
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}
