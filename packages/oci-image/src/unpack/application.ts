import { link, lstat, lutimes, mkdir, open, readdir, rm, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { LinuxError, makeNode } from "@kata-ts/linux";
import type { TarEntry } from "@kata-ts/tree";
import { ImageError } from "../errors.ts";
import { setAttributes } from "./attributes.ts";
import { type BytePath, onDisk, readable } from "./bytes.ts";
import { inRoot } from "./in-root.ts";
import { writeContent } from "./write-content.ts";

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

export interface ApplicationOptions {
  readonly contentOnly: boolean;
  readonly warn: (message: string) => void;
}

/** A layer that is being applied to a directory. */
export class Application {
  readonly #root: BytePath;
  readonly #options: ApplicationOptions;
  /** Made by this layer: its whiteouts are about those below. */
  readonly #made: Set<BytePath> = new Set();
  /**
   * Times of directories, in seconds, which they get when everything is in them: those that the layer says, and of others the
   * ones that they had before anything in them was made or removed.
   */
  readonly #times: Map<BytePath, number> = new Map();

  constructor(root: BytePath, options: ApplicationOptions) {
    this.#root = root;
    this.#options = options;
  }

  async apply(entry: TarEntry): Promise<void> {
    try {
      await this.#apply(entry);
    } catch (error) {
      const code = error instanceof ImageError ? error.code : "KATA_IMAGE_LAYER";
      throw new ImageError(code, `${readable(entry.path)}: ${(error as Error).message}`, { cause: error });
    }
  }

  async finish(): Promise<void> {
    for (const [path, mtime] of this.#times) {
      // A later entry may have removed it, or put a link in the place of a directory above it, which could lead out of the root.
      const place = await inRoot(this.#root, path.slice(this.#root.length)).catch(() => undefined);
      if (place === path) await lutimes(onDisk(path), mtime, mtime).catch(() => undefined);
    }
  }

  async #apply(entry: TarEntry): Promise<void> {
    if (entry.path === "") throw refusal("an entry has no name");
    const name = basename(entry.path);
    if (name === OPAQUE) await this.#emptyBelow(entry);
    else if (name.startsWith(WHITEOUT)) await this.#remove(entry, name.slice(WHITEOUT.length));
    else await this.#make(entry);
  }

  async #remove(entry: TarEntry, name: string): Promise<void> {
    if (name === "" || name === "." || name === "..") throw refusal("is a whiteout of nothing");
    const path = await inRoot(this.#root, `${dirname(entry.path)}/${name}`);
    if (!this.#made.has(path)) await this.#removeOld(path);
  }

  async #emptyBelow(entry: TarEntry): Promise<void> {
    await this.#removeOthers(await inRoot(this.#root, dirname(entry.path), { followLast: true }));
  }

  async #removeOthers(directory: BytePath): Promise<void> {
    const below = await readdir(onDisk(directory), { withFileTypes: true, encoding: "buffer" }).catch(() => []);
    for (const each of below) {
      const path = join(directory, each.name.toString("latin1"));
      if (!this.#made.has(path)) await this.#removeOld(path);
      else if (each.isDirectory()) await this.#removeOthers(path);
    }
  }

  async #make(entry: TarEntry): Promise<void> {
    const path = await inRoot(this.#root, entry.path);
    if (path === this.#root) {
      if (entry.type !== "directory") throw refusal("stands for the root, which is a directory");
      await this.#setAttributes(entry, path);
      this.#times.set(path, entry.mtime);
      return;
    }
    await mkdir(onDisk(dirname(path)), { recursive: true });
    await this.#keepTime(dirname(path));
    const there = await lstat(onDisk(path)).catch(() => undefined);
    const isKept = entry.type === "directory" && there?.isDirectory() === true;
    if (there !== undefined && !isKept) await this.#removeOld(path);
    if (!(await this.#create(entry, path))) return;
    this.#markMade(path);
    // A hard link has its target's.
    if (entry.type !== "link") await this.#setAttributes(entry, path);
  }

  async #setAttributes(entry: TarEntry, path: BytePath): Promise<void> {
    if (!this.#options.contentOnly) await setAttributes(entry, path, this.#options.warn);
  }

  /** @returns false for what was left out */
  async #create(entry: TarEntry, path: BytePath): Promise<boolean> {
    switch (entry.type) {
      case "file": {
        await using file = await open(onDisk(path), "wx");
        await writeContent(file, entry);
        break;
      }
      case "directory":
        await mkdir(onDisk(path), { recursive: true });
        this.#times.set(path, entry.mtime);
        break;
      case "symlink":
        await symlink(onDisk(entry.link), onDisk(path));
        break;
      case "link":
        // A link to what is inside, never through a link to what is not.
        await link(onDisk(await inRoot(this.#root, entry.link)), onDisk(path));
        break;
      default:
        return this.#makeNode(entry, path, entry.type);
    }
    return true;
  }

  /** What stands for a device is the guest's when the guest opens it. */
  #makeNode({ major, minor, path: name }: TarEntry, path: BytePath, kind: "pipe" | "character" | "block"): boolean {
    if (this.#options.contentOnly) return false;
    try {
      makeNode(onDisk(path), kind, { major, minor });
      return true;
    } catch (error) {
      if (!(error instanceof LinuxError)) throw error;
      this.#options.warn(`${readable(name)}: its ${kind} cannot be made: ${error.errno}`);
      return false;
    }
  }

  async #removeOld(path: BytePath): Promise<void> {
    await this.#keepTime(dirname(path));
    this.#times.delete(path);
    await remove(path);
  }

  /** Before anything in a directory changes. */
  async #keepTime(directory: BytePath): Promise<void> {
    if (this.#times.has(directory)) return;
    const found = await lstat(onDisk(directory)).catch(() => undefined);
    if (found?.isDirectory() === true) this.#times.set(directory, found.mtimeMs / 1000);
  }

  /** With the directories on the way, which an opaque whiteout must leave alone, too. */
  #markMade(path: BytePath): void {
    for (let made = path; made.length > this.#root.length && !this.#made.has(made); made = dirname(made)) {
      this.#made.add(made);
    }
  }
}

async function remove(path: BytePath): Promise<void> {
  await rm(onDisk(path), { recursive: true, force: true });
}

function refusal(reason: string): ImageError {
  return new ImageError("KATA_IMAGE_LAYER", reason);
}
