import { escapeControls } from "@kata-ts/linux";

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

  /** The text, with what steers a terminal or the eye made harmless: it comes from a guest. */
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
