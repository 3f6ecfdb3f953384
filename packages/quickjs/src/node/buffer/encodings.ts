import {
  hexDecode,
  hexWrite,
  latin1Decode,
  latin1Write,
  utf8Decode,
  utf8Encode,
  utf8Length,
  utf8Write,
} from "kata:native";
import { nodeError } from "../errors.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";

/** A way to write text as bytes. */
interface Encoding {
  decode(bytes: Uint8Array, start: number, end: number): string;
  encode(text: string): Uint8Array;
  /** As much as there is room for. @returns bytes written */
  write(text: string, bytes: Uint8Array, start: number, end: number): number;
  length(text: string): number;
}

const utf8: Encoding = {
  decode: utf8Decode,
  encode: (text) => new Uint8Array(utf8Encode(text)),
  write: utf8Write,
  length: utf8Length,
};

const latin1: Encoding = {
  decode: latin1Decode,
  encode: (text) => {
    const bytes = new Uint8Array(text.length);
    latin1Write(text, bytes, 0, bytes.length);
    return bytes;
  },
  write: latin1Write,
  length: (text) => text.length,
};

const ascii: Encoding = {
  ...latin1,
  decode: (bytes, start, end) =>
    latin1Decode(
      bytes.slice(start, end).map((byte) => byte & 0x7f),
      0,
      end - start,
    ),
};

const hex: Encoding = {
  decode: hexDecode,
  encode: (text) => {
    const bytes = new Uint8Array(Math.floor(text.length / 2));
    return bytes.subarray(0, hexWrite(text, bytes, 0, bytes.length));
  },
  write: hexWrite,
  length: (text) => Math.floor(text.length / 2),
};

function base64Of(forUrl: boolean): Encoding {
  return {
    decode: (bytes, start, end) => encodeBase64(bytes.subarray(start, end), forUrl),
    encode: decodeBase64,
    write: (text, bytes, start, end) => copy(decodeBase64(text), bytes, start, end),
    length: (text) => decodeBase64(text).length,
  };
}

const utf16: Encoding = {
  decode: (bytes, start, end) => {
    let text = "";
    for (let at = start; at + 1 < end; at += 2) {
      text += String.fromCharCode((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
    }
    return text;
  },
  encode: (text) => {
    const bytes = new Uint8Array(2 * text.length);
    for (let at = 0; at < text.length; at++) {
      bytes[2 * at] = text.charCodeAt(at) & 0xff;
      bytes[2 * at + 1] = text.charCodeAt(at) >> 8;
    }
    return bytes;
  },
  write: (text, bytes, start, end) => copy(utf16.encode(text), bytes, start, start + ((end - start) & ~1)),
  length: (text) => 2 * text.length,
};

function copy(from: Uint8Array, to: Uint8Array, start: number, end: number): number {
  const part = from.subarray(0, end - start);
  to.set(part, start);
  return part.length;
}

const ENCODINGS: Readonly<Record<string, Encoding>> = {
  utf8,
  "utf-8": utf8,
  latin1,
  binary: latin1,
  ascii,
  hex,
  base64: base64Of(false),
  base64url: base64Of(true),
  utf16le: utf16,
  "utf-16le": utf16,
  ucs2: utf16,
  "ucs-2": utf16,
};

/** UTF-8 without a name. @throws TypeError ERR_UNKNOWN_ENCODING */
export function encodingNamed(name: string | null | undefined): Encoding {
  if (name === undefined || name === null || name === "utf8") return utf8;
  const encoding = ENCODINGS[name.toLowerCase()];
  if (encoding === undefined) throw nodeError("ERR_UNKNOWN_ENCODING", `Unknown encoding: ${name}`, TypeError);
  return encoding;
}

export function isEncoding(name: unknown): boolean {
  return typeof name === "string" && Object.hasOwn(ENCODINGS, name.toLowerCase());
}
