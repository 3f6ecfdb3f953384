import { utf8Decode, utf8Encode } from "kata:native";

export class TextEncoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array {
    return new Uint8Array(utf8Encode(text));
  }
}

/** Only UTF-8, and whole texts: no `stream`. */
export class TextDecoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;

  constructor(label = "utf-8", { fatal = false }: { readonly fatal?: boolean } = {}) {
    if (!/^utf-?8$/i.test(label)) throw new RangeError(`The "${label}" encoding is not supported`);
    this.fatal = fatal;
  }

  decode(bytes: ArrayBuffer | ArrayBufferView = new Uint8Array()): string {
    const view = ArrayBuffer.isView(bytes)
      ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : new Uint8Array(bytes);
    const start = view[0] === 0xef && view[1] === 0xbb && view[2] === 0xbf ? 3 : 0;
    const text = utf8Decode(view, start, view.length);
    if (this.fatal && text.includes("\ufffd") && !isSame(view.subarray(start), text)) {
      throw Object.assign(new TypeError("The encoded data was not valid for encoding utf-8"), {
        code: "ERR_ENCODING_INVALID_ENCODED_DATA",
      });
    }
    return text;
  }
}

/** A replacement character may have been one before. */
function isSame(bytes: Uint8Array, text: string): boolean {
  const again = new Uint8Array(utf8Encode(text));
  return again.length === bytes.length && again.every((byte, index) => byte === bytes[index]);
}
