import type { FileReports } from "./file-calls.ts";
import type { CopyOutOptions } from "./file-options.ts";

/** Tells how far a copy has come. */
export class CopyReports implements FileReports {
  readonly onWarning: ((message: string) => void) | undefined;
  readonly #onProgress: CopyOutOptions["onProgress"];
  #bytes = 0;
  #entries = 0;

  constructor({ onProgress, onWarning }: Pick<CopyOutOptions, "onProgress" | "onWarning">) {
    this.#onProgress = onProgress;
    this.onWarning = onWarning;
  }

  readonly onEntries = (entries: number): void => {
    this.#entries = entries;
    this.#tell();
  };

  async *counted(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const piece of pieces) {
      this.#bytes += piece.length;
      this.#tell();
      yield piece;
    }
  }

  #tell(): void {
    this.#onProgress?.({ bytes: this.#bytes, entries: this.#entries });
  }
}
