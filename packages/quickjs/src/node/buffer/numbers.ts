import { outOfRange } from "../errors.ts";

/**
 * Bytes whose numbers are read and written at an offset, as Node's Buffer does it. Headers of frames are made
 * of big-endian ones without a sign: these are read and written byte by byte, for which no view is made.
 */
const Bytes = Uint8Array as unknown as BytesConstructor;

interface BytesConstructor {
  new (length: number): Uint8Array<ArrayBuffer>;
  new (buffer: ArrayBuffer, offset: number, length: number): Uint8Array<ArrayBuffer>;
}

export class NumberBytes extends Bytes {
  readUInt8(offset = 0): number {
    return (typeof offset === "number" ? this[offset] : undefined) ?? checkOffset(this, offset, 1);
  }
  readInt8(offset = 0): number {
    return (this.readUInt8(offset) << 24) >> 24;
  }
  readUInt16LE(offset = 0): number {
    return view(this, offset, 2).getUint16(0, true);
  }
  readUInt16BE(offset = 0): number {
    const first = this[offset];
    const last = this[offset + 1];
    if (first === undefined || last === undefined) return checkOffset(this, offset, 2);
    return (first << 8) | last;
  }
  readInt16LE(offset = 0): number {
    return view(this, offset, 2).getInt16(0, true);
  }
  readInt16BE(offset = 0): number {
    return view(this, offset, 2).getInt16(0);
  }
  readUInt32LE(offset = 0): number {
    return view(this, offset, 4).getUint32(0, true);
  }
  readUInt32BE(offset = 0): number {
    const first = this[offset];
    const last = this[offset + 3];
    if (first === undefined || last === undefined) return checkOffset(this, offset, 4);
    return first * 0x100_0000 + (((this[offset + 1] ?? 0) << 16) | ((this[offset + 2] ?? 0) << 8) | last);
  }
  readInt32LE(offset = 0): number {
    return view(this, offset, 4).getInt32(0, true);
  }
  readInt32BE(offset = 0): number {
    return view(this, offset, 4).getInt32(0);
  }
  readBigUInt64LE(offset = 0): bigint {
    return view(this, offset, 8).getBigUint64(0, true);
  }
  readBigUInt64BE(offset = 0): bigint {
    return view(this, offset, 8).getBigUint64(0);
  }
  readBigInt64LE(offset = 0): bigint {
    return view(this, offset, 8).getBigInt64(0, true);
  }
  readBigInt64BE(offset = 0): bigint {
    return view(this, offset, 8).getBigInt64(0);
  }
  /** @param size of 1 to 6 bytes */
  readUIntBE(offset: number, size: number): number {
    const end = checkOffset(this, offset, size) + size;
    let sum = 0;
    for (let at = offset; at < end; at++) sum = sum * 256 + (this[at] ?? 0);
    return sum;
  }
  readUIntLE(offset: number, size: number): number {
    return this.subarray(checkOffset(this, offset, size), offset + size).reduceRight(
      (sum, byte) => sum * 256 + byte,
      0,
    );
  }
  writeUIntBE(value: number, offset: number, size: number): number {
    checkOffset(this, offset, size);
    let rest = checkValue(value, 0, 256 ** size - 1);
    for (let at = offset + size - 1; at >= offset; at--) {
      this[at] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    return offset + size;
  }
  writeUIntLE(value: number, offset: number, size: number): number {
    this.writeUIntBE(value, offset, size);
    this.subarray(offset, offset + size).reverse();
    return offset + size;
  }

  writeUInt8(value: number, offset = 0): number {
    if (typeof offset !== "number" || this[offset] === undefined || !(value >= 0 && value <= 0xff)) {
      checkOffset(this, offset, 1);
      checkValue(value, 0, 0xff);
    }
    this[offset] = value;
    return offset + 1;
  }
  writeInt8(value: number, offset = 0): number {
    const at = checkOffset(this, offset, 1);
    this[at] = checkValue(value, -0x80, 0x7f);
    return at + 1;
  }
  writeUInt16LE(value: number, offset = 0): number {
    view(this, offset, 2).setUint16(0, checkValue(value, 0, 0xffff), true);
    return offset + 2;
  }
  writeUInt16BE(value: number, offset = 0): number {
    if (this[offset] === undefined || this[offset + 1] === undefined || !(value >= 0 && value <= 0xffff)) {
      checkOffset(this, offset, 2);
      checkValue(value, 0, 0xffff);
    }
    this[offset] = value >>> 8;
    this[offset + 1] = value;
    return offset + 2;
  }
  writeInt16LE(value: number, offset = 0): number {
    view(this, offset, 2).setInt16(0, checkValue(value, -0x8000, 0x7fff), true);
    return offset + 2;
  }
  writeUInt32LE(value: number, offset = 0): number {
    view(this, offset, 4).setUint32(0, checkValue(value, 0, 0xffff_ffff), true);
    return offset + 4;
  }
  writeUInt32BE(value: number, offset = 0): number {
    if (this[offset] === undefined || this[offset + 3] === undefined || !(value >= 0 && value <= 0xffff_ffff)) {
      checkOffset(this, offset, 4);
      checkValue(value, 0, 0xffff_ffff);
    }
    this[offset] = value >>> 24;
    this[offset + 1] = value >>> 16;
    this[offset + 2] = value >>> 8;
    this[offset + 3] = value;
    return offset + 4;
  }
  writeInt32LE(value: number, offset = 0): number {
    view(this, offset, 4).setInt32(0, checkValue(value, -0x8000_0000, 0x7fff_ffff), true);
    return offset + 4;
  }
  writeInt32BE(value: number, offset = 0): number {
    view(this, offset, 4).setInt32(0, checkValue(value, -0x8000_0000, 0x7fff_ffff));
    return offset + 4;
  }
  writeBigUInt64LE(value: bigint, offset = 0): number {
    view(this, offset, 8).setBigUint64(0, checkBig(value, 0n, 0xffff_ffff_ffff_ffffn), true);
    return offset + 8;
  }
  writeBigUInt64BE(value: bigint, offset = 0): number {
    view(this, offset, 8).setBigUint64(0, checkBig(value, 0n, 0xffff_ffff_ffff_ffffn));
    return offset + 8;
  }
  writeBigInt64LE(value: bigint, offset = 0): number {
    view(this, offset, 8).setBigInt64(0, checkBig(value, -0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn), true);
    return offset + 8;
  }
}

function view(bytes: Uint8Array, offset: number, size: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + checkOffset(bytes, offset, size), size);
}

function checkOffset(bytes: Uint8Array, offset: number, size: number): number {
  if (Number.isInteger(offset) && offset >= 0 && offset + size <= bytes.length) return offset;
  if (bytes.length < size && Number.isInteger(offset)) {
    throw Object.assign(new RangeError("Attempt to access memory outside buffer bounds"), {
      code: "ERR_BUFFER_OUT_OF_BOUNDS",
    });
  }
  throw outOfRange("offset", `>= 0 and <= ${String(bytes.length - size)}`, offset);
}

function checkValue(value: number, low: number, high: number): number {
  if (value < low || value > high) throw outOfRange("value", `>= ${String(low)} and <= ${String(high)}`, value);
  return value;
}

function checkBig(value: bigint, low: bigint, high: bigint): bigint {
  if (value < low || value > high) throw outOfRange("value", `>= ${String(low)} and <= ${String(high)}`, value);
  return value;
}
