import { printError } from "./print.ts";

/** When each step of a call was done: printed at its end on standard error, where asked for. */
export class Timeline implements Disposable {
  readonly #shown: boolean;
  readonly #steps: (readonly [step: string, at: number])[] = [];

  constructor(shown: boolean) {
    this.#shown = shown;
  }

  note(step: string): void {
    if (!this.#shown) return;
    this.#steps.push([step, performance.now()]);
  }

  /** A line a step: milliseconds since this process was started, what the step took, and its name. */
  table(): string {
    let before = 0;
    const lines = [...this.#steps, ["end", performance.now()] as const].map(([step, at]) => {
      const took = at - before;
      before = at;
      return `${at.toFixed(0).padStart(7)} ms ${`+${took.toFixed(0)}`.padStart(7)}  ${step}\n`;
    });
    return lines.join("");
  }

  [Symbol.dispose](): void {
    if (this.#shown) printError(this.table());
  }
}
