import { QemuError } from "../errors.ts";

/** Cuts a byte stream into lines, however it is fragmented; a character split between chunks stays whole. */
export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  #pending: Buffer = Buffer.alloc(0);

  constructor(maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** @throws QemuError KATA_QMP_PROTOCOL for a line above the limit */
  push(chunk: Buffer): void {
    let rest = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a)) {
      const line = rest.subarray(0, end).toString("utf8").trim();
      rest = rest.subarray(end + 1);
      if (line !== "") this.#onLine(line);
    }
    if (rest.length > this.#maxBytes) {
      throw new QemuError("KATA_QMP_PROTOCOL", `a QMP line is longer than ${String(this.#maxBytes)} bytes`);
    }
    this.#pending = Buffer.from(rest);
  }
}
