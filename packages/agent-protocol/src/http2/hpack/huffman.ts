import { ErrorCode, Http2Error } from "../protocol.ts";

const EOS = 256;
const LONGEST_CODE = 30;
const SHORTEST_CODE = 5;
/** An octet may be followed by fewer bits than a byte has, all of them 1. */
const MAX_PADDING_BITS = 7;

/**
 * How many bits the code of each symbol has: RFC 7541, appendix B, where codes of one length are numbered in the order of their
 * symbols, and begin after the last shorter one. The lengths say it all.
 */
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];

/** The codes of one length. */
interface CodeGroup {
  readonly first: number;
  readonly symbols: readonly number[];
}

const GROUPS: readonly CodeGroup[] = groupsByLength();

function groupsByLength(): CodeGroup[] {
  const groups: CodeGroup[] = [];
  let first = 0;
  for (let length = 0; length <= LONGEST_CODE; length++) {
    const symbols = LENGTHS.flatMap((bits, symbol) => (bits === length ? [symbol] : []));
    groups.push({ first, symbols });
    first = (first + symbols.length) * 2;
  }
  return groups;
}

/**
 * Decodes a string of a header block. The result has at most 8/5 of the bytes.
 *
 * @throws Http2Error for the end-of-string symbol, and for padding that is none
 */
export function decodeHuffman(bytes: Buffer): Buffer {
  const decoded = Buffer.allocUnsafe(Math.floor((bytes.length * 8) / SHORTEST_CODE));
  let written = 0;
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      length += 1;
      const symbol = symbolOf(code, length);
      if (symbol === undefined) continue;
      if (symbol === EOS) throw malformed();
      decoded[written++] = symbol;
      code = 0;
      length = 0;
    }
  }
  if (length > MAX_PADDING_BITS || code !== 2 ** length - 1) throw malformed();
  return decoded.subarray(0, written);
}

function symbolOf(code: number, length: number): number | undefined {
  const group = GROUPS[length];
  if (group === undefined) throw malformed();
  return group.symbols[code - group.first];
}

function malformed(): Http2Error {
  return new Http2Error(ErrorCode.Compression, "a Huffman-coded string is malformed");
}
