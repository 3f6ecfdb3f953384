import { encodeInteger } from "./integer.ts";
import { type Field, STATIC_TABLE } from "./static-table.ts";

/** "The dynamic table has 0 bytes from now on." */
const NO_TABLE = 0x20;

const INDEX_OF_NAME: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.map(([name], index): [string, number] => [name, index + 1]).reverse(),
);
const INDEX_OF_FIELD: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.map(([name, value], index): [string, number] => [`${name}\n${value}`, index + 1]),
);

/**
 * Encodes header blocks without a dynamic table and without Huffman coding: a call has some hundred bytes of headers, and a stateless
 * encoder leaves nothing to get wrong.
 */
export class HpackEncoder {
  #announcesNoTable = false;

  /** The peer's decoder has a smaller table than by default, and expects the next block to say what is used of it. */
  giveUpTable(): void {
    this.#announcesNoTable = true;
  }

  encode(fields: readonly Field[]): Buffer {
    const parts = fields.map(encodeField);
    if (this.#announcesNoTable) parts.unshift(Buffer.of(NO_TABLE));
    this.#announcesNoTable = false;
    return Buffer.concat(parts);
  }
}

function encodeField([name, value]: Field): Buffer {
  const whole = INDEX_OF_FIELD.get(`${name}\n${value}`);
  if (whole !== undefined && value !== "") return Buffer.from(encodeInteger(whole, 7, 0x80));
  const index = INDEX_OF_NAME.get(name) ?? 0;
  const named = Buffer.from(encodeInteger(index, 4, 0));
  const parts = index === 0 ? [named, encodeString(name)] : [named];
  return Buffer.concat([...parts, encodeString(value)]);
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([Buffer.from(encodeInteger(bytes.length, 7, 0)), bytes]);
}
