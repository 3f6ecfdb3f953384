import { KataError, reasonOf } from "./errors.ts";

type Undo = () => void | Promise<void>;

/**
 * What to take back if a creation fails: each step pushes its undo, and they run in reverse order. A failing undo does
 * not keep the others from running. `keep()` says that the creation succeeded.
 *
 * @example
 * await using undo = new UndoStack();
 * const vm = await boot();
 * undo.push(() => vm.stop());
 * …
 * undo.keep();
 */
export class UndoStack implements AsyncDisposable {
  #steps: Undo[] = [];

  push(undo: Undo): void {
    this.#steps.push(undo);
  }

  keep(): void {
    this.#steps = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const undo of this.#steps.reverse()) {
      try {
        await undo();
      } catch {
        // The failure that brought us here is the one to report.
      }
    }
    this.#steps = [];
  }
}

/**
 * Takes back what was made before an error, which the caller throws next.
 *
 * @throws KataError with that error's code, and that error as its cause, where something of it is left: its message has both reasons
 */
export async function undoAfter(error: unknown, undo: () => Promise<unknown>): Promise<void> {
  try {
    await undo();
  } catch (failure) {
    const known = [error, failure].find((each) => each instanceof KataError);
    const hint = failure instanceof KataError ? failure.hint : undefined;
    throw new KataError(
      known?.code ?? "KATA_STATE",
      `${reasonOf(error)}; and what it had made or changed is left: ${reasonOf(failure)}`,
      { cause: error, ...(hint === undefined ? {} : { hint }) },
    );
  }
}
