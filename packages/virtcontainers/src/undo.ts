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
