import { NamespaceMonitor } from "@kata-ts/netns";
import { spawnTied, type TiedProcess } from "@kata-ts/qemu-driver";

const DEADLINE_MS = 60_000;

/**
 * Runs a program whenever a network namespace has changed: engines also attach networks to containers that run. The
 * program ends before this is stopped, one way or the other.
 */
export class NetworkFollower {
  readonly #command: readonly string[];
  readonly #monitor: NamespaceMonitor;
  #running: TiedProcess | undefined;
  #stopped = false;

  /** @param namespace a path; @param command a program and its arguments */
  constructor(namespace: string, command: readonly string[]) {
    this.#command = command;
    this.#monitor = new NamespaceMonitor(namespace, () => this.#run());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#monitor[Symbol.dispose]();
    this.#running?.child.kill("SIGKILL");
    await this.#running?.exited;
  }

  async #run(): Promise<void> {
    const [program, ...args] = this.#command;
    if (program === undefined || this.#stopped) return;
    const running = spawnTied(program, args, "ignore");
    this.#running = running;
    const timer = setTimeout(() => running.child.kill("SIGKILL"), DEADLINE_MS);
    await running.exited;
    clearTimeout(timer);
    this.#running = undefined;
  }
}
