import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { SYSTEM_PATH } from "@kata-ts/linux";

/** By then a program has failed that is run for a guest that is gone. */
const LAST_RUN_MS = 2_000;

/**
 * A shell that stays root when this process gives its rights up, and reads nothing but words of this process from its
 * standard input. It ends with that.
 */
export class RootHelper {
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;

  /** @param script for sh, with `args` as $0, $1 and so on; what it writes calls onOutput */
  constructor(script: string, args: readonly string[], onOutput: () => void = () => undefined) {
    const child = spawn("sh", ["-c", script, ...args], {
      stdio: ["pipe", "pipe", "ignore"],
      detached: true,
      cwd: "/",
      env: { PATH: SYSTEM_PATH, LANG: "C" },
    });
    this.#child = child;
    child.stdin.on("error", () => undefined); // Its end is seen by its exit.
    child.stdout.on("data", onOutput).on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      child.once("exit", () => {
        resolve();
      });
      child.once("error", () => {
        resolve();
      });
    });
  }

  say(word: string): void {
    this.#child.stdin?.write(`${word}\n`);
  }

  /** Lets it end once it has carried out the last word, and waits for that, but not for ever. */
  async dismiss(): Promise<void> {
    this.#child.stdin?.end();
    await Promise.race([this.ended, delay(LAST_RUN_MS, undefined, { ref: false })]);
  }
}
