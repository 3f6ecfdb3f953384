/** What the bookkeeping of one piece costs, beside its bytes: a Buffer, its view of memory, and its place in a list. */
const PIECE_COST = 256;
/** A shorter piece is copied to others: the cost of keeping it by itself would be a quarter of it, or more. */
const SMALL_BYTES = 1024;
const FIRST_BLOCK_BYTES = 4 * 1024;
const LARGEST_BLOCK_BYTES = 64 * 1024;

/**
 * Bytes that wait for their reader, in order. A peer chooses how its bytes are cut: what is kept here costs memory in
 * proportion to the bytes, not to the number of pieces, since small pieces are copied together.
 */
export class ByteQueue {
  readonly #pieces: Buffer[] = [];
  /** The piece that is still being filled with small ones; it comes after all others. */
  #block: Buffer | undefined;
  #filled = 0;
  #nextBlockBytes = FIRST_BLOCK_BYTES;
  #length = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of memory that are held for them: payload, unused space, and a cost for each piece. */
  get memory(): number {
    const open = this.#block === undefined ? 0 : this.#block.length - this.#filled + PIECE_COST;
    return this.#length + open + this.#pieces.length * PIECE_COST;
  }

  push(piece: Buffer): void {
    this.#length += piece.length;
    if (mayBeKept(piece)) {
      this.#closeBlock();
      this.#pieces.push(piece);
    } else {
      this.#copy(piece);
    }
  }

  /** The next bytes, as many as lie together; undefined when none wait. */
  shift(): Buffer | undefined {
    if (this.#pieces.length === 0) this.#closeBlock();
    const piece = this.#pieces.shift();
    this.#length -= piece?.length ?? 0;
    if (this.#length === 0) this.#nextBlockBytes = FIRST_BLOCK_BYTES;
    return piece;
  }

  /** All that waits, as one piece. */
  takeAll(): Buffer {
    this.#closeBlock();
    const pieces = this.#pieces.splice(0);
    this.#length = 0;
    this.#nextBlockBytes = FIRST_BLOCK_BYTES;
    const [only] = pieces;
    return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#block = undefined;
    this.#length = 0;
  }

  #copy(piece: Buffer): void {
    let rest = piece;
    while (rest.length > 0) {
      const block = this.#openBlock(rest.length);
      const copied = rest.copy(block, this.#filled);
      this.#filled += copied;
      rest = rest.subarray(copied);
      if (this.#filled === block.length) this.#closeBlock();
    }
  }

  // Blocks grow while bytes go on waiting: a few bytes get little space, and many need few blocks.
  #openBlock(bytes: number): Buffer {
    if (this.#block !== undefined) return this.#block;
    const size = Math.min(Math.max(this.#nextBlockBytes, bytes), LARGEST_BLOCK_BYTES);
    this.#nextBlockBytes = Math.min(size * 2, LARGEST_BLOCK_BYTES);
    this.#filled = 0;
    this.#block = Buffer.allocUnsafeSlow(size);
    return this.#block;
  }

  #closeBlock(): void {
    const block = this.#block;
    if (block === undefined) return;
    this.#block = undefined;
    const used = block.subarray(0, this.#filled);
    this.#pieces.push(used.length < block.length / 2 ? copyOf(used) : used);
  }
}

/** A small part of what has arrived must not keep all of it; half of it, less its header, may. */
function mayBeKept(piece: Buffer): boolean {
  return piece.length >= SMALL_BYTES && piece.length >= piece.buffer.byteLength / 3;
}

/** With memory of its own: a copy from Node's pool would keep all of the pool. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
