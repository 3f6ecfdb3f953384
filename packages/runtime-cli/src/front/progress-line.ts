/** A line of standard error that is written over where a person watches; nothing where nobody does. */
export class ProgressLine implements Disposable {
  #last = "";

  show(text: string): void {
    if (!process.stderr.isTTY || text === this.#last) return;
    this.#last = text;
    process.stderr.write(`\r\u001b[2K${text}`);
  }

  [Symbol.dispose](): void {
    if (this.#last !== "") process.stderr.write("\r\u001b[2K");
  }
}
