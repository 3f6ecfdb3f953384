import { setTimeout as delay } from "node:timers/promises";
import { NamespaceMonitor } from "@kata-ts/netns";
import { RootHelper } from "./root-helper.ts";

/** For each word it runs the program, which may take a minute, and then says that it has ended. */
const SCRIPT = 'while read -r word; do timeout -s KILL 60 "$@" </dev/null >/dev/null 2>&1; echo ended; done';
/** A program whose guest is gone fails soon. */
const LAST_RUN_MS = 2_000;

/**
 * Runs a program whenever a network namespace has changed: engines also attach networks to containers that run. The program runs
 * with the rights that this process has when this is made.
 */
export class NetworkFollower {
  readonly #helper: RootHelper;
  #monitor: NamespaceMonitor | undefined;
  #ended: (() => void) | undefined;

  /** @param command a program and its arguments */
  constructor(command: readonly string[]) {
    this.#helper = new RootHelper(SCRIPT, ["sh", ...command], () => this.#ended?.());
  }

  /** From now on, the network namespace of the calling thread. */
  follow(): void {
    this.#monitor = new NamespaceMonitor(undefined, () => this.#run());
  }

  async stop(): Promise<void> {
    this.#monitor?.[Symbol.dispose]();
    this.#helper.dismiss();
    await Promise.race([this.#helper.ended, delay(LAST_RUN_MS, undefined, { ref: false })]);
  }

  async #run(): Promise<void> {
    const ended: Promise<void> = new Promise((resolve) => {
      this.#ended = resolve;
    });
    this.#helper.say("changed");
    await Promise.race([ended, this.#helper.ended]);
  }
}
