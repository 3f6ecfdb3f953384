import { constants } from "node:os";
import { makeRaw, onRealTimeSignals, setModes, signalProcess, type TerminalModes, unblockSignal } from "@kata-ts/linux";
import type { Shim } from "@kata-ts/virtcontainers";
import { terminalOfOurs } from "./terminal-options.ts";

/** Beside the real-time ones. */
const FORWARDED = "SIGHUP SIGINT SIGQUIT SIGTERM SIGALRM SIGUSR1 SIGUSR2 SIGWINCH SIGCONT".split(
  " ",
) as NodeJS.Signals[];

/**
 * Stands in the foreground for a process: to be entered before it runs, so that no signal and no key is lost. Our
 * signals are passed on to its shim. While a process with a terminal runs, ours passes every key on as it is: the
 * guest's own terminal does the echo and the lines. Disposing it gives the terminal its modes back.
 */
export class Foreground implements Disposable {
  readonly #early: (NodeJS.Signals | number)[] = [];
  readonly #screen: number | undefined;
  readonly #modes: TerminalModes | undefined;
  #pass: (signal: NodeJS.Signals | number) => void = (signal) => this.#early.push(signal);

  /** @param terminal whether the process has one */
  constructor(terminal: boolean) {
    onRealTimeSignals((signal) => {
      this.#pass(signal);
    });
    for (const signal of FORWARDED) {
      process.on(signal, () => {
        this.#pass(signal);
      });
    }
    this.#screen = terminal ? terminalOfOurs() : undefined;
    this.#modes = this.#screen === undefined ? undefined : makeRaw(this.#screen);
  }

  /** @returns the exit status of the process */
  wait(shim: Shim): Promise<number> {
    this.#pass = (signal) => {
      signalProcess(shim.identity, signal);
    };
    for (const signal of this.#early) this.#pass(signal);
    unblockSignal(constants.signals.SIGUSR1); // One that came before waits until now, as the native part does to be loaded.
    return shim.exited;
  }

  [Symbol.dispose](): void {
    if (this.#screen === undefined || this.#modes === undefined) return;
    try {
      setModes(this.#screen, this.#modes);
    } catch {
      // A terminal that has gone away has no modes any more.
    }
  }
}
