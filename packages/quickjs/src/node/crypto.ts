import { hashEnd, hashStart, hashTake } from "kata:native";
import { Buffer } from "./buffer.ts";
import { nodeError } from "./errors.ts";
import { libc } from "./libc.ts";

/** The kernel gives so many without a signal coming between. */
const AT_ONCE = 256;
/** Node's own limit: of larger ranges the numbers would not be exact. */
const LARGEST_RANGE = 2 ** 48;

export function randomBytes(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let start = 0; start < size; ) {
    const part = bytes.subarray(start, start + AT_ONCE);
    start += libc("getrandom", part, part.length, 0);
  }
  return bytes;
}

/** From the first, or 0, up to and without the last; each as likely as any other. */
export function randomInt(first: number, last?: number): number {
  const [min, max] = last === undefined ? [0, first] : [first, last];
  const range = max - min;
  if (!(Number.isSafeInteger(min) && Number.isSafeInteger(max) && range > 0 && range < LARGEST_RANGE)) {
    throw nodeError("ERR_OUT_OF_RANGE", `no integers from ${String(min)} to ${String(max)} can be drawn`, RangeError);
  }
  // What is beyond a whole number of ranges would make the first numbers likelier.
  const fair = LARGEST_RANGE - (LARGEST_RANGE % range);
  for (;;) {
    const drawn = randomBytes(6).readUIntLE(0, 6);
    if (drawn < fair) return min + (drawn % range);
  }
}

class Hash {
  readonly #state: ArrayBuffer;
  #isOver = false;

  constructor(isLong: boolean) {
    this.#state = hashStart(isLong);
  }

  update(data: string | ArrayBufferView, encoding?: string): this {
    this.#use();
    hashTake(this.#state, typeof data === "string" ? Buffer.from(data, encoding) : data);
    return this;
  }

  digest(): Buffer;
  digest(encoding: string): string;
  digest(encoding?: string): Buffer | string {
    this.#use();
    this.#isOver = true;
    const digest = Buffer.from(hashEnd(this.#state));
    return encoding === undefined ? digest : digest.toString(encoding);
  }

  #use(): void {
    if (this.#isOver) throw nodeError("ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
  }
}

export type { Hash };

export function createHash(algorithm: string): Hash {
  if (algorithm !== "sha256" && algorithm !== "sha512") {
    throw nodeError("ERR_OSSL_EVP_UNSUPPORTED", `Digest method not supported: ${algorithm}`);
  }
  return new Hash(algorithm === "sha512");
}
