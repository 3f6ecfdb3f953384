import { Buffer } from "./buffer.ts";

/** Text out of pieces that may be cut within a character. */
export class StringDecoder {
  readonly encoding: string;
  readonly #unit: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(encoding = "utf8") {
    const name = encoding.toLowerCase();
    this.encoding = name === "utf-8" ? "utf8" : name;
    this.#unit = /^(utf-?16le|ucs-?2)$/.test(name) ? 2 : name.startsWith("base64") ? 3 : 1;
  }

  write(piece: Uint8Array | string): string {
    if (typeof piece === "string") return piece;
    const bytes = this.#rest.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#rest, piece]);
    const whole = this.encoding === "utf8" ? wholeCharacters(bytes) : bytes.length - (bytes.length % this.#unit);
    this.#rest = bytes.subarray(whole);
    return bytes.toString(this.encoding, 0, whole);
  }

  end(piece?: Uint8Array | string): string {
    const text = piece === undefined ? "" : this.write(piece);
    const last = this.#rest.toString(this.encoding);
    this.#rest = Buffer.alloc(0);
    return text + last;
  }
}

/** How many bytes there are before a character at the end whose bytes are not all there. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

export default { StringDecoder };
