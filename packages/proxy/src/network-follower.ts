import { NamespaceMonitor } from "@kata-ts/netns";
import { RootHelper } from "./root-helper.ts";

/** For each word it runs the program, which may take a minute, and then says that it has ended. */
const SCRIPT = 'while read -r word; do timeout -s KILL 60 "$@" </dev/null >/dev/null 2>&1; echo ended; done';

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
    await this.#helper.dismiss();
  }

  async #run(): Promise<void> {
    const ended: Promise<void> = new Promise((resolve) => {
      this.#ended = resolve;
    });
    this.#helper.say("changed");
    await Promise.race([ended, this.#helper.ended]);
  }
}
