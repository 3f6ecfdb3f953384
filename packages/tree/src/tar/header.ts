import { TarError } from "./tar-error.ts";

export const BLOCK = 512;

/** A header block as it stands there. Texts are bytes, one a character ("latin1"): tar knows no encoding. */
export interface Header {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds. */
  readonly mtime: number;
  /** The type flag. */
  readonly type: string;
  readonly link: string;
  readonly major: number;
  readonly minor: number;
  /** The block itself, for what only some dialects have. */
  readonly block: Buffer;
}

const MAGIC_AT = 257;
const CHECKSUM_AT = 148;

/** Undefined for a block of zeros. @throws TarError for what is no header */
export function parseHeader(block: Buffer): Header | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (!hasChecksum(block)) throw new TarError("it is no tar: a header has another checksum");
  const magic = block.toString("latin1", MAGIC_AT, MAGIC_AT + 8);
  // GNU has times where POSIX has the beginning of a long name; star has them behind a shorter one.
  const isStar = block.toString("latin1", 508, 512) === "tar\0";
  const prefix = magic.startsWith("ustar\0") ? textAt(block, 345, isStar ? 131 : 155) : "";
  const name = textAt(block, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: numberAt(block, 100, 8, "mode"),
    uid: numberAt(block, 108, 8, "uid"),
    gid: numberAt(block, 116, 8, "gid"),
    size: positive(numberAt(block, 124, 12, "size"), "size"),
    mtime: numberAt(block, 136, 12, "mtime"),
    type: block.toString("latin1", 156, 157),
    link: textAt(block, 157, 100),
    major: magic.startsWith("ustar") ? numberAt(block, 329, 8, "devmajor") : 0,
    minor: magic.startsWith("ustar") ? numberAt(block, 337, 8, "devminor") : 0,
    block,
  };
}

/** Up to the first NUL. */
function textAt(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end === -1 ? length : end);
}

/** Octal digits, or in base 256 when the first bit is set. @throws TarError */
export function numberAt(block: Buffer, start: number, length: number, what: string): number {
  const field = block.subarray(start, start + length);
  const value = ((field[0] ?? 0) & 0x80) === 0 ? octal(field) : base256(field);
  if (!Number.isSafeInteger(value)) throw new TarError(`a header's ${what} is no number`);
  return value;
}

export function positive(value: number, what: string): number {
  if (value < 0) throw new TarError(`a header's ${what} is negative`);
  return value;
}

const MAX_ID = 2 ** 32 - 2;

export function checkedId(value: number, what: string): number {
  if (value >= 0 && value <= MAX_ID) return value;
  throw new TarError(`a header's ${what} is ${String(value)}, which no user or group has`);
}

function octal(field: Buffer): number {
  const digits = field.toString("latin1").replace(/^[ \0]+|[ \0].*$/gs, "");
  if (digits === "") return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** Two's complement, big-endian, without the bit that marks it. */
function base256(field: Buffer): number {
  const isNegative = ((field[0] ?? 0) & 0x40) !== 0;
  let value = isNegative ? -1n : 0n;
  for (const [index, byte] of field.entries()) {
    value = (value << 8n) | BigInt(index === 0 ? (isNegative ? byte : byte & 0x7f) : byte);
  }
  return Number(value);
}

/** Of unsigned bytes; historically also of signed ones. The field itself counts as spaces. */
function hasChecksum(block: Buffer): boolean {
  const wanted = octal(block.subarray(CHECKSUM_AT, CHECKSUM_AT + 8));
  let [unsigned, signed] = [0, 0];
  for (const [index, byte] of block.entries()) {
    const counted = index >= CHECKSUM_AT && index < CHECKSUM_AT + 8 ? 0x20 : byte;
    unsigned += counted;
    signed += counted > 0x7f ? counted - 0x100 : counted;
  }
  return wanted === unsigned || wanted === signed;
}
