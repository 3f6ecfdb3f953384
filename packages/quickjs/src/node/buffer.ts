import { allocateView, compare, search, searchLast, subarrayOf } from "kata:native";
import { encodingNamed, isEncoding } from "./buffer/encodings.ts";
import { NumberBytes } from "./buffer/numbers.ts";
import { invalidArgument, nodeError, outOfRange } from "./errors.ts";

type Source =
  | string
  | Uint8Array
  | ArrayBuffer
  | readonly number[]
  | { readonly type: "Buffer"; readonly data: number[] };

/** Node's, as a class of its own: parts of it are Buffers without anybody's doing. */
export class Buffer extends NumberBytes {
  static readonly poolSize = 0;

  static from(source: Source, encodingOrOffset?: string | number, length?: number): Buffer {
    if (typeof source === "string") return wrap(encodingNamed(encodingOrOffset as string | undefined).encode(source));
    if (source instanceof ArrayBuffer) {
      const offset = Number(encodingOrOffset ?? 0);
      return new Buffer(source, offset, length ?? source.byteLength - offset);
    }
    if (typeof source !== "object" || (source as unknown) === null) {
      throw invalidArgument("first", "of type string or an instance of Buffer, ArrayBuffer, or Array", source);
    }
    const values = "type" in source ? source.data : source;
    const copy = values instanceof Uint8Array ? Buffer.allocUnsafe(values.length) : Buffer.alloc(values.length);
    copy.set(values);
    return copy;
  }

  static of(...values: number[]): Buffer {
    return Buffer.from(values);
  }

  static alloc(size: number, fill?: string | number | Uint8Array, encoding?: string): Buffer {
    const made = new Buffer(checkSize(size));
    return fill === undefined || fill === 0 ? made : made.fill(fill, 0, size, encoding);
  }

  static allocUnsafe(size: number): Buffer {
    return allocateView(Uint8Array, Buffer, checkSize(size));
  }

  static allocUnsafeSlow(size: number): Buffer {
    return Buffer.allocUnsafe(size);
  }

  static concat(list: readonly Uint8Array[], length?: number): Buffer {
    const size = length ?? list.reduce((sum, { length }) => sum + length, 0);
    const whole = Buffer.allocUnsafe(size);
    let at = 0;
    for (const part of list) {
      if (at >= size) break;
      const fitting = part.length <= size - at ? part : part.subarray(0, size - at);
      whole.set(fitting, at);
      at += fitting.length;
    }
    if (at < size) whole.fill(0, at);
    return whole;
  }

  static isBuffer(value: unknown): value is Buffer {
    return value instanceof Buffer;
  }

  static isEncoding(name: unknown): boolean {
    return isEncoding(name);
  }

  static byteLength(text: string | ArrayBuffer | ArrayBufferView, encoding?: string): number {
    return typeof text === "string" ? encodingNamed(encoding).length(text) : text.byteLength;
  }

  static compare(a: Uint8Array, b: Uint8Array): number {
    return compare(a, b);
  }

  override toString(encoding?: string, start = 0, end: number = this.length): string {
    const to = clamp(end, this.length);
    const from = Math.min(clamp(start, this.length), to);
    return encodingNamed(encoding).decode(this, from, to);
  }

  toJSON(): { type: "Buffer"; data: number[] } {
    return { type: "Buffer", data: Array.from(this) };
  }

  equals(other: Uint8Array): boolean {
    return this.length === other.length && compare(this, other) === 0;
  }

  compare(other: Uint8Array): number {
    return compare(this, other);
  }

  copy(target: Uint8Array, targetStart = 0, start = 0, end: number = this.length): number {
    if (targetStart < 0) throw outOfRange("targetStart", ">= 0", targetStart);
    if (start < 0 || start > this.length) throw outOfRange("sourceStart", `>= 0 && <= ${String(this.length)}`, start);
    if (end < 0) throw outOfRange("sourceEnd", ">= 0", end);
    if (targetStart >= target.length || start >= end) return 0;
    const part = this.subarray(start, Math.min(end, start + target.length - targetStart));
    target.set(part, targetStart);
    return part.length;
  }

  write(text: string, offset: number | string = 0, length?: number | string, encoding?: string): number {
    if (typeof offset === "string") return this.write(text, 0, undefined, offset);
    const named = typeof length === "string" ? length : encoding;
    const room = this.length - offset;
    if (room < 0) throw nodeError("ERR_OUT_OF_RANGE", 'The value of "offset" is out of range.', RangeError);
    const end = typeof length === "number" ? Math.min(this.length, offset + length) : this.length;
    return encodingNamed(named).write(text, this, offset, end);
  }

  override fill(value: number | string | Uint8Array, start = 0, end: number = this.length, encoding?: string): this {
    if (typeof value === "number") return super.fill(value & 0xff, start, end);
    const pattern = typeof value === "string" ? encodingNamed(encoding).encode(value) : value;
    if (pattern.length === 0) return super.fill(0, start, end);
    for (let at = start; at < end; at += pattern.length) this.set(pattern.subarray(0, end - at), at);
    return this;
  }

  override indexOf(value: number | string | Uint8Array, from: number | string = 0, encoding?: string): number {
    if (typeof value === "number") return super.indexOf(value & 0xff, Number(from));
    const named = typeof from === "string" ? from : encoding;
    const wanted = typeof value === "string" ? encodingNamed(named).encode(value) : value;
    return search(this, wanted, clamp(typeof from === "string" ? 0 : from, this.length));
  }

  override lastIndexOf(value: number | string | Uint8Array, from: number = this.length, encoding?: string): number {
    const start = from < 0 ? from + this.length : from;
    if (start < 0) return -1;
    if (typeof value === "number") return super.lastIndexOf(value & 0xff, Math.min(start, this.length));
    const wanted = typeof value === "string" ? encodingNamed(encoding).encode(value) : value;
    return searchLast(this, wanted, Math.min(start, this.length));
  }

  override includes(value: number | string | Uint8Array, from = 0, encoding?: string): boolean {
    return this.indexOf(value, from, encoding) !== -1;
  }

  override subarray(start?: number, end?: number): Buffer {
    return subarrayOf(Uint8Array, Buffer, this, start, end);
  }

  /** The same memory, as ever with Buffers. */
  override slice(start?: number, end?: number): Buffer {
    return this.subarray(start, end);
  }
}

/** By both spellings, as Node has them. */
for (const name of Object.getOwnPropertyNames(NumberBytes.prototype)) {
  if (!name.includes("UInt")) continue;
  const method = Object.getOwnPropertyDescriptor(NumberBytes.prototype, name);
  if (method !== undefined) Object.defineProperty(NumberBytes.prototype, name.replace("UInt", "Uint"), method);
}

function wrap(bytes: Uint8Array): Buffer {
  return new Buffer(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

function checkSize(size: unknown): number {
  if (typeof size !== "number") throw invalidArgument("size", "of type number", size);
  if (size >= 0 && size <= constants.MAX_LENGTH) return size;
  throw nodeError("ERR_OUT_OF_RANGE", `The value of "size" is out of range. Received ${String(size)}`, RangeError);
}

/** As slice() takes its arguments: from the end where they are negative. */
function clamp(index: number, length: number): number {
  const whole = Math.trunc(index);
  if (Number.isNaN(whole)) return 0;
  return Math.max(0, Math.min(whole < 0 ? whole + length : whole, length));
}

export const constants: { readonly MAX_LENGTH: number; readonly MAX_STRING_LENGTH: number } = {
  MAX_LENGTH: 2 ** 30,
  MAX_STRING_LENGTH: 2 ** 30 - 1,
};

/** What readable-stream asks for; no value is one. */
export class Blob {
  readonly size = 0;
}

export default { Buffer, Blob, constants };
