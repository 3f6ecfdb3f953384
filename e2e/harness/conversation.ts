import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Kata } from "./kata.ts";

const DEADLINE_MS = 60_000;

/** A process in a container that answers each line with a line, at once. */
export class Conversation implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #answers: Interface;

  private constructor(child: ChildProcess, answers: Interface) {
    this.#child = child;
    this.#answers = answers;
  }

  /** It says a line by itself when it is ready. */
  static async start(kata: Kata, id: string, program: readonly string[]): Promise<Conversation> {
    const args = ["--root", kata.root, ...kata.globals, "exec", id, ...program];
    const child = spawn(kata.program, args, { stdio: ["pipe", "pipe", "inherit"] });
    const conversation = new Conversation(child, createInterface({ input: child.stdout }));
    await conversation.#line();
    return conversation;
  }

  async ask(question: string): Promise<string> {
    const answer = this.#line();
    this.#child.stdin?.write(`${question}\n`);
    return answer;
  }

  async #line(): Promise<string> {
    const [line] = (await once(this.#answers, "line", { signal: AbortSignal.timeout(DEADLINE_MS) })) as [string];
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, "exit", { signal: AbortSignal.timeout(DEADLINE_MS) });
    this.#child.stdin?.end();
    await ended;
  }
}
