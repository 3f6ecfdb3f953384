import {
  closeSync,
  constants,
  ftruncateSync,
  linkSync,
  lstatSync,
  lutimesSync,
  openSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { LinuxError, makeNode } from "@kata-ts/linux";
import { setMode, setOwner } from "./attributes.ts";
import { writeAll } from "./content.ts";
import { errnoOf, FileError, fileErrorOf } from "./file-error.ts";
import { makeParents } from "./names.ts";
import { Place } from "./place.ts";
import { type Root, refuseKernels } from "./root.ts";
import { readTar, type TarEntry } from "./tar/reader.ts";
import { writeContent } from "./tar/write-content.ts";

export interface UnpackOptions {
  /** Who owns what is made; as the tar says without it. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Leaves devices and set-id bits out: for a tree whose author this machine does not trust. */
  readonly harmless?: boolean | undefined;
  /** How many bytes and entries are taken at most; any number by default. */
  readonly maxBytes?: number | undefined;
  readonly maxEntries?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with each entry that is done. */
  readonly onEntry?: (() => void) | undefined;
  /** Called with what is not in the tree as it is in the tar, and why. */
  readonly warn?: ((message: string) => void) | undefined;
  /** What a path of the tar is called instead. */
  readonly rename?: ((path: string) => string) | undefined;
}

/**
 * Makes what a tar has in a directory that exists. Files and links that have such names are replaced; directories stay as they are. No path of the tar leads
 * out of the directory by itself (`..` is refused), and none leads out of the root, whatever links there are.
 *
 * @throws FileError, TarError; what was made by then stays
 */
export async function unpack(
  root: Root,
  path: string,
  chunks: AsyncIterable<Buffer>,
  options: UnpackOptions = {},
): Promise<void> {
  using unpacking = new Unpacking(root, path, options);
  try {
    closeSync(await root.directory(path));
    const warn = (message: string): void => options.warn?.(message);
    for await (const entry of readTar(metered(chunks, path, options), warn)) await unpacking.make(entry);
  } catch (error) {
    throw fileErrorOf(error, path);
  }
  await unpacking.finish();
}

async function* metered(
  chunks: AsyncIterable<Buffer>,
  path: string,
  { maxBytes = Number.POSITIVE_INFINITY, signal }: UnpackOptions,
): AsyncGenerator<Buffer, void, undefined> {
  let left = maxBytes;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    left -= chunk.length;
    if (left < 0) throw new FileError("EFBIG", path, `the tar has more than ${String(maxBytes)} bytes`);
    yield chunk;
  }
}

/** Directories whose times are set when all is in them; of more the times are those of their making. */
const MAX_REMEMBERED = 100_000;

class Unpacking implements Disposable {
  readonly #root: Root;
  readonly #directory: string;
  readonly #options: UnpackOptions;
  readonly #times: { readonly path: string; readonly mtime: number }[] = [];
  /** The directory of the last entry: the next one is often in it, too. */
  #last: { readonly path: string; readonly fd: number } | undefined;
  #entries = 0;

  constructor(root: Root, directory: string, options: UnpackOptions) {
    this.#root = root;
    this.#directory = Buffer.from(directory).toString("latin1").replace(/\/+$/, "");
    this.#options = options;
  }

  async make(entry: TarEntry): Promise<void> {
    const path = this.#pathOf(entry.path);
    this.#entries += 1;
    const { maxEntries = Number.POSITIVE_INFINITY, onEntry } = this.#options;
    if (this.#entries > maxEntries)
      throw new FileError("EFBIG", readable(path), `the tar has more than ${String(maxEntries)} entries`);
    try {
      if (path !== this.#directory) await this.#make(entry, path);
    } catch (error) {
      throw fileErrorOf(error, readable(path));
    }
    onEntry?.();
  }

  async finish(): Promise<void> {
    for (const { path, mtime } of this.#times.reverse()) {
      try {
        using place = await this.#root.place(bytes(path));
        lutimesSync(place.at, mtime, mtime);
      } catch (error) {
        if (errnoOf(error) === undefined) throw error; // It has gone, or been replaced: it has another time then.
      }
    }
  }

  [Symbol.dispose](): void {
    this.#forgetLast();
  }

  /** Where an entry goes: below the directory. */
  #pathOf(name: string): string {
    const given = this.#options.rename?.(name) ?? name;
    const parts = given.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.includes("..")) throw new FileError("EINVAL", readable(name), "a path of the tar has .. in it");
    return [this.#directory, ...parts].join("/");
  }

  async #make(entry: TarEntry, path: string): Promise<void> {
    const place = await this.#place(path);
    refuseKernels(place.directory, readable(path));
    if (entry.type === "directory" && (await this.#isDirectory(place, path))) return;
    clear(place);
    await this.#create(place, entry, path);
  }

  async #create(place: Place, entry: TarEntry, path: string): Promise<void> {
    switch (entry.type) {
      case "file":
        await this.#writeFile(place, entry);
        break;
      case "directory":
        await makeParents(this.#root, bytes(`${path}/`));
        break;
      case "symlink":
        symlinkSync(bytes(entry.link), place.at);
        break;
      case "link": {
        using source = await this.#root.place(bytes(this.#pathOf(entry.link)));
        linkSync(source.at, place.at);
        return; // It has its target's attributes.
      }
      default:
        if (!this.#makeNode(place, entry, entry.type)) return;
    }
    this.#setAttributes(place, entry, path);
  }

  async #writeFile(place: Place, entry: TarEntry): Promise<void> {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const fd = openSync(place.at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      await writeContent(entry, {
        write: (data, position) => {
          writeAll(fd, data, position);
        },
        truncate: (size) => {
          ftruncateSync(fd, size);
        },
      });
    } finally {
      closeSync(fd);
    }
  }

  #makeNode(place: Place, { path, major, minor }: TarEntry, kind: "pipe" | "character" | "block"): boolean {
    try {
      if (this.#options.harmless === true && kind !== "pipe") throw new LinuxError("mknod", "EPERM", path);
      makeNode(place.at, kind, { major, minor });
      return true;
    } catch (error) {
      if (!(error instanceof LinuxError)) throw error;
      this.#options.warn?.(`${readable(path)}: its ${kind} is left out: ${error.errno}`);
      return false;
    }
  }

  #setAttributes(place: Place, entry: TarEntry, path: string): void {
    const { owner, harmless = false } = this.#options;
    setOwner(place, readable(path), owner ?? entry, this.#root.owners);
    if (entry.type !== "symlink") setMode(place, harmless ? entry.mode & 0o777 : entry.mode);
    if (entry.type === "directory") {
      if (this.#times.length < MAX_REMEMBERED) this.#times.push({ path, mtime: entry.mtime });
    } else lutimesSync(place.at, entry.mtime, entry.mtime);
  }

  /** A link to a directory counts as one, and stays. */
  async #isDirectory(place: Place, path: string): Promise<boolean> {
    const found = lstatSync(place.at, { throwIfNoEntry: false });
    if (found?.isSymbolicLink() !== true) return found?.isDirectory() === true;
    try {
      closeSync(await this.#root.directory(bytes(path)));
      return true;
    } catch {
      return false;
    }
  }

  async #place(path: string): Promise<Place> {
    const slash = path.lastIndexOf("/");
    const parent = path.slice(0, slash);
    if (this.#last?.path !== parent) {
      this.#forgetLast();
      await makeParents(this.#root, bytes(path));
      this.#last = { path: parent, fd: await this.#root.directory(bytes(parent)) };
    }
    return new Place(this.#last.fd, bytes(path.slice(slash + 1)), false);
  }

  #forgetLast(): void {
    if (this.#last !== undefined) closeSync(this.#last.fd);
    this.#last = undefined;
  }
}

/** Removes what has the name; of a directory only an empty one. */
function clear(place: Place): void {
  const found = lstatSync(place.at, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isDirectory()) rmdirSync(place.at);
  else unlinkSync(place.at);
}

function bytes(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

function readable(path: string): string {
  return bytes(path).toString();
}
