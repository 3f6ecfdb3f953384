import { closeSync } from "node:fs";

/**
 * A name in a directory that is open: whatever becomes of the path that led there, and of links on it, it stays this directory. The name
 * itself may be a link, which calls that are given `at` do not follow.
 */
export class Place implements Disposable {
  /** The directory's descriptor. */
  readonly directory: number;
  /** `.` for a root itself. */
  readonly name: Buffer;
  readonly #owned: boolean;

  /** @param owned whether the descriptor is closed with the place */
  constructor(directory: number, name: Buffer, owned = true) {
    this.directory = directory;
    this.name = name;
    this.#owned = owned;
  }

  get isRoot(): boolean {
    return this.name.length === 1 && this.name[0] === DOT;
  }

  /** A path for calls of the file system. */
  get at(): Buffer {
    return Buffer.concat([Buffer.from(`${openPath(this.directory)}/`), this.name]);
  }

  [Symbol.dispose](): void {
    if (this.#owned) closeSync(this.directory);
  }
}

const DOT = 0x2e;

/** A path that leads to what a descriptor is open on. */
export function openPath(fd: number): string {
  return `/proc/self/fd/${String(fd)}`;
}
