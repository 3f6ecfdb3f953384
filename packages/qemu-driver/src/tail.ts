/** The last bytes of a stream whose length nobody bounds. */
export class Tail {
  readonly #limit: number;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    const joined = Buffer.concat([this.#bytes, chunk]);
    this.#bytes = joined.length > this.#limit ? Buffer.from(joined.subarray(joined.length - this.#limit)) : joined;
  }

  /** The text, with every control character but line ends made harmless: it comes from a guest. */
  text(): string {
    return escapeControls(this.#bytes.toString("utf8"));
  }

  lines(count: number): string[] {
    return this.text()
      .split("\n")
      .filter((line) => line.trim() !== "")
      .slice(-count);
  }
}

/** Text that a guest had a say in, safe for a log or a terminal: control characters become \xNN. */
export function escapeControls(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(/[^\P{Cc}\n]/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
