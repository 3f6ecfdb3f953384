import { ErrorCode, Http2Error } from "../protocol.ts";
import { BlockReader } from "./block-reader.ts";
import { DynamicTable, sizeOf } from "./dynamic-table.ts";
import { decodeHuffman } from "./huffman.ts";
import { type Field, STATIC_TABLE } from "./static-table.ts";

/** HTTP/2's default, which our SETTINGS leave as it is. */
const MAX_TABLE_BYTES = 4096;
/** A peer that lowers the size and raises it again needs two (RFC 7541, 4.2). */
const MAX_SIZE_UPDATES = 2;

/**
 * Decodes the header blocks of one direction of a connection, in their order (RFC 7541). After an error the connection is of no
 * use: the table is no longer the peer's.
 */
export class HpackDecoder {
  readonly #table: DynamicTable = new DynamicTable(MAX_TABLE_BYTES);
  readonly #maxListBytes: number;

  /** @param maxListBytes of the fields of one block together, by HPACK's count: a few bytes may refer to long fields again and again */
  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes;
  }

  /** @throws Http2Error */
  decode(block: Buffer): Field[] {
    const reader = new BlockReader(block);
    this.#readSizeUpdates(reader);
    const fields: Field[] = [];
    let bytes = 0;
    while (!reader.isAtEnd) {
      const field = this.#readField(reader);
      bytes += sizeOf(field);
      if (bytes > this.#maxListBytes) {
        throw new Http2Error(ErrorCode.EnhanceYourCalm, `a header list exceeds ${String(this.#maxListBytes)} bytes`);
      }
      fields.push(field);
    }
    return fields;
  }

  #readSizeUpdates(reader: BlockReader): void {
    for (let update = 0; !reader.isAtEnd && reader.peek() >> 5 === 1; update++) {
      const size = reader.integer(5);
      if (size > MAX_TABLE_BYTES) throw compressionError(`the peer wants a header table of ${String(size)} bytes`);
      if (update >= MAX_SIZE_UPDATES) throw compressionError("a header block has too many updates of the table's size");
      this.#table.resize(size);
    }
  }

  #readField(reader: BlockReader): Field {
    const first = reader.peek();
    if (first >= 0x80) return this.#fieldAt(reader.integer(7));
    if (first >= 0x40) {
      const field = this.#readLiteral(reader, 6);
      this.#table.add(field);
      return field;
    }
    if (first >= 0x20) throw compressionError("a header block has an update of the table's size behind a field");
    return this.#readLiteral(reader, 4);
  }

  #readLiteral(reader: BlockReader, prefixBits: number): Field {
    const index = reader.integer(prefixBits);
    const name = index === 0 ? readString(reader) : this.#fieldAt(index)[0];
    return [name, readString(reader)];
  }

  #fieldAt(index: number): Field {
    const field = STATIC_TABLE[index - 1] ?? this.#table.at(index - 1 - STATIC_TABLE.length);
    if (field === undefined)
      throw compressionError(`a header block refers to field ${String(index)}, which is not there`);
    return field;
  }
}

function readString(reader: BlockReader): string {
  const isHuffman = reader.peek() >= 0x80;
  const bytes = reader.bytes(reader.integer(7));
  return (isHuffman ? decodeHuffman(bytes) : bytes).toString("latin1");
}

function compressionError(message: string): Http2Error {
  return new Http2Error(ErrorCode.Compression, message);
}
