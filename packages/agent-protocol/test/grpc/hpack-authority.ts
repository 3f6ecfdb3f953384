/**
 * Replaces the value of `:authority` in an HPACK block (RFC 7541), in place.
 *
 * The original's gRPC client sends `:authority unix:////run/…/proxy.sock`. Node's HTTP/2 holds that for a malformed
 * header and ends the connection. The replacement has as many bytes and as many characters as the original: lengths in
 * the block stay right, and both sides' dynamic tables keep the same sizes.
 */
const AUTHORITY_INDEX = 1;

/** Characters of an authority and the bits of their Huffman codes (RFC 7541, appendix B). */
const CODES: readonly { readonly bits: number; readonly code: number }[] = [
  { bits: 5, code: 0b00011 }, // a
  { bits: 6, code: 0b100011 }, // b
  { bits: 7, code: 0b1110100 }, // j
  { bits: 8, code: 0b11111100 }, // X
];

/** @throws RangeError when the block is truncated */
export function replaceAuthority(block: Buffer): void {
  for (let offset = 0; offset < block.length; ) offset = skipField(block, offset);
}

function skipField(block: Buffer, start: number): number {
  const first = block.readUInt8(start);
  if (first >= 0x80) return readInteger(block, start, 7).end; // indexed
  if (first >= 0x20 && first < 0x40) return readInteger(block, start, 5).end; // table size update
  const name = readInteger(block, start, first >= 0x40 ? 6 : 4); // literal
  const valueStart = name.value === 0 ? readString(block, name.end).end : name.end;
  const value = readString(block, valueStart);
  if (name.value === AUTHORITY_INDEX) overwrite(block.subarray(value.start, value.end), value.huffman);
  return value.end;
}

function overwrite(value: Buffer, huffman: boolean): void {
  if (!huffman) value.fill("a");
  else fillHuffman(value, decodedLength(value));
}

/** As many characters as before, with codes just long enough to fill the bytes up to less than eight padding bits. */
function fillHuffman(value: Buffer, characters: number): void {
  const shortest = CODES[0]?.bits ?? 0;
  let spare = Math.max(0, value.length * 8 - 7 - characters * shortest);
  let bits = "";
  for (let left = characters; left > 0; left--) {
    const extra = Math.min(spare, CODES.length - 1);
    const { bits: length, code } = CODES[extra] ?? { bits: 0, code: 0 };
    bits += code.toString(2).padStart(length, "0");
    spare -= extra;
  }
  bits = bits.padEnd(value.length * 8, "1");
  for (let at = 0; at < value.length; at++) value.writeUInt8(Number.parseInt(bits.slice(at * 8, at * 8 + 8), 2), at);
}

/**
 * Characters in a Huffman-coded string of printable ASCII: only the lengths of the codes matter. A code's length
 * follows from its leading bits (the code is canonical).
 */
function decodedLength(value: Buffer): number {
  const bits = [...value].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  let count = 0;
  for (let at = 0; at < bits.length; count++) {
    const rest = bits.slice(at, at + 30);
    const length = codeLength(rest);
    if (length === undefined || length > rest.length) break; // padding
    at += length;
  }
  return count;
}

/** Upper end of the codes of each length, left-aligned to eight bits or more; from RFC 7541, appendix B. */
const LENGTHS: readonly (readonly [limit: string, length: number])[] = [
  ["01010", 5], // 00000 … 01001
  ["101110", 6], // 010100 … 101101
  ["1111100", 7], // 1011100 … 1111011
  ["11111110", 8], // 11111000 … 11111101
  ["1111111101", 10], // 1111111000 … 1111111100
  ["11111111101", 11],
  ["111111111100", 12],
  ["1111111111110", 13],
  ["111111111111110", 14],
  ["1111111111111110", 15],
];

function codeLength(bits: string): number | undefined {
  return LENGTHS.find(([limit]) => bits.padEnd(limit.length, "1").slice(0, limit.length) < limit)?.[1];
}

function readString(block: Buffer, start: number): { huffman: boolean; start: number; end: number } {
  const huffman = block.readUInt8(start) >= 0x80;
  const length = readInteger(block, start, 7);
  const end = length.end + length.value;
  if (end > block.length) throw new RangeError("truncated HPACK string");
  return { huffman, start: length.end, end };
}

/** An integer with an N-bit prefix (RFC 7541, section 5.1). */
function readInteger(block: Buffer, start: number, prefixBits: number): { value: number; end: number } {
  const limit = 2 ** prefixBits - 1;
  let value = block.readUInt8(start) & limit;
  let end = start + 1;
  if (value < limit) return { value, end };
  for (let shift = 0; ; shift += 7) {
    if (shift > 21) throw new RangeError("HPACK integer is too large");
    const byte = block.readUInt8(end++);
    value += (byte & 0x7f) << shift;
    if (byte < 0x80) return { value, end };
  }
}
