import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { isDiskFull } from "@kata-ts/linux";

/** What of an output is in its files no more, in bytes. */
export interface DroppedOutput {
  /** It was overwritten by what came later. */
  readonly old: number;
  /** There was no room for it on the disk. */
  readonly unwritten: number;
}

const NOTHING: DroppedOutput = { old: 0, unwritten: 0 };
const DIGITS = 16;
/** The same length for all numbers: it is written over in one piece, also on a disk that is full. */
const LENGTH = 2 * (DIGITS + 1);

/** @param path of the first file of the output */
export function droppedPath(path: string): string {
  return `${path}.dropped`;
}

/** @param path of the first file of the output; what is damaged, or of an earlier release, counts as nothing */
export function readDropped(path: string): DroppedOutput {
  try {
    return parse(readFileSync(droppedPath(path), "latin1"));
  } catch {
    return NOTHING;
  }
}

/** Counts what of an output is dropped, in a file beside the output's own. It is opened at once, as its directory may be out of sight later. */
export class DropCounter {
  readonly #fd: number;
  #dropped: DroppedOutput;

  constructor(path: string) {
    const { O_RDWR, O_CREAT } = constants;
    this.#fd = openSync(droppedPath(path), O_RDWR | O_CREAT, 0o600);
    const before = Buffer.alloc(LENGTH);
    this.#dropped = parse(before.toString("latin1", 0, readSync(this.#fd, before, 0, LENGTH, 0)));
    this.#note();
  }

  add({ old = 0, unwritten = 0 }: Partial<DroppedOutput>): void {
    this.#dropped = { old: this.#dropped.old + old, unwritten: this.#dropped.unwritten + unwritten };
    this.#note();
  }

  close(): void {
    closeSync(this.#fd);
  }

  #note(): void {
    const { old, unwritten } = this.#dropped;
    const text = [old, unwritten].map((count) => `${String(count).padStart(DIGITS, "0")}\n`).join("");
    try {
      writeSync(this.#fd, Buffer.from(text), 0, LENGTH, 0);
    } catch (error) {
      // The process is to go on without a log, and without what is said of it.
      if (!isDiskFull(error)) throw error;
    }
  }
}

function parse(text: string): DroppedOutput {
  const [, old, unwritten] = /^(\d{16})\n(\d{16})\n$/.exec(text) ?? [];
  return old === undefined ? NOTHING : { old: Number(old), unwritten: Number(unwritten) };
}
