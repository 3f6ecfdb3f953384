import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { NODE_BINARY } from "../../scripts/lib/paths.ts";
import type { Kata } from "./kata.ts";
import { DIST } from "./paths.ts";

type Answer = { readonly value: unknown } | { readonly error: string };

/** A program of its own that owns a pod: pod-program.ts. It is killed where the test has not ended it. */
export class PodOwner implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** @param bundles directories by the ids of their containers, which are made in this order */
  static async start(kata: Kata, bundles: Readonly<Record<string, string>>): Promise<PodOwner> {
    const given = Object.entries(bundles).map(([id, path]) => `${id}=${path}`);
    const program = join(import.meta.dirname, "pod-program.ts");
    const child = spawn(NODE_BINARY, [program, kata.root, join(DIST, "libexec", "kata-ts"), ...given], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.on("error", () => undefined);
    const owner = new PodOwner(child, createInterface({ input: child.stdout }));
    const first = await owner.#read();
    if (first !== "created") throw new Error(`the pod was not made: ${JSON.stringify(first)}`);
    return owner;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @throws Error with the program's own words */
  async do(what: string, id = "", details: object = {}): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify({ do: what, id, ...details })}\n`);
    const answer = (await this.#read()) as Answer;
    if ("error" in answer) throw new Error(answer.error);
    return answer.value;
  }

  async kill(): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    await this.kill();
  }

  async #read(): Promise<unknown> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error("the program that owns the pod has ended");
    return JSON.parse(line.value) as unknown;
  }
}
