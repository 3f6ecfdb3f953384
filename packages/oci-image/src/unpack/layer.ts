import { once } from "node:events";
import { link, lstat, lutimes, mkdir, open, readdir, rm, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PassThrough, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { LinuxError, makeNode } from "@kata-ts/linux";
import { Parser, type ReadEntry } from "tar";
import { streamOf, verified } from "../blobs.ts";
import { ImageError } from "../errors.ts";
import { setAttributes } from "./attributes.ts";
import { type Attributes, ExtendedAttributes } from "./extended-attributes.ts";
import { inRoot } from "./in-root.ts";

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

export interface LayerOptions {
  /** For messages. */
  readonly name: string;
  /** The digest that its content has to have when it is not compressed; unchecked where there is none. */
  readonly diffId?: string;
  /** How many bytes and files more may be unpacked; counted down. */
  readonly budget: Budget;
  /** Named pipes and devices are left out: for what is no root file system. */
  readonly withoutNodes?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told what of the layer was not restored, and why. */
  readonly warn?: (message: string) => void;
}

/** What a whole image may take, whatever its layers claim. */
interface Budget {
  bytes: number;
  entries: number;
}

/**
 * Applies a layer to a root file system that nobody else changes meanwhile. Nothing outside of it is touched, whatever
 * names and links the layer has.
 *
 * @param path the layer's blob: tar, plain or compressed by gzip or zstd, told by its first bytes
 * @throws ImageError KATA_IMAGE_LAYER, KATA_IMAGE_DIGEST
 */
export async function applyLayer(root: string, path: string, options: LayerOptions): Promise<void> {
  const attributes = new ExtendedAttributes();
  const application = new Application(root, attributes, options);
  const parser = new Parser({ strict: true });
  const failure = new AbortController();
  const signal = AbortSignal.any([failure.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const fail = (error: unknown): void => {
    failure.abort(asLayerError(error, options));
  };
  parser.on("error", fail);
  let current: ReadEntry | undefined;
  // Nothing more comes of it: who reads it must not wait.
  signal.addEventListener("abort", () => current?.end());
  // One after the other: an entry's data comes only when it is asked for, and the next entry behind it.
  let work: Promise<void> = Promise.resolve();
  parser.on("entry", (entry: ReadEntry) => {
    work = work
      .then(() => {
        if (signal.aborted) return undefined;
        current = entry;
        return application.apply(entry);
      })
      .catch((error: unknown) => {
        fail(error);
        entry.resume();
      });
  });
  await feed(path, { attributes, parser }, options.diffId, signal).catch(fail);
  await work;
  signal.throwIfAborted();
  await application.finish();
}

function asLayerError(error: unknown, { name }: LayerOptions): ImageError {
  if (error instanceof ImageError) return error;
  return new ImageError("KATA_IMAGE_LAYER", `${name}: ${(error as Error).message}`, { cause: error });
}

/** Resolves when everything was read, was what it should be, and was taken by the parser. */
async function feed(
  path: string,
  { attributes, parser }: { readonly attributes: ExtendedAttributes; readonly parser: Parser },
  diffId: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const parsed = once(parser, "end", { signal });
  parsed.catch(() => undefined); // Told by the pipeline as well.
  const checking =
    diffId === undefined ? new PassThrough() : verified({ digest: diffId, size: Number.POSITIVE_INFINITY });
  const decompression = await decompressor(path);
  const into = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) if (!parser.write(chunk)) await once(parser, "drain", { signal });
    parser.end();
  };
  if (decompression === undefined) await pipeline(streamOf(path), checking, attributes, into, { signal });
  else await pipeline(streamOf(path), decompression, checking, attributes, into, { signal });
  await parsed;
}

async function decompressor(path: string): Promise<Transform | undefined> {
  const start = streamOf(path);
  const [first] = (await start.take(1).toArray()) as [Buffer?];
  const magic = first?.readUInt32LE(0) ?? 0;
  if ((magic & 0xffff) === 0x8b1f) return createGunzip();
  return magic === 0xfd2fb528 ? createZstdDecompress() : undefined;
}

async function writeEntry(entry: ReadEntry, path: string): Promise<void> {
  await using file = await open(path, "wx");
  for await (const chunk of entry) await file.writeFile(chunk);
}

class Application {
  readonly #root: string;
  readonly #extended: ExtendedAttributes;
  readonly #options: LayerOptions;
  /** Made by this layer: its whiteouts are about those below. */
  readonly #made: Set<string> = new Set();
  /** Directories get their times when everything is in them. */
  readonly #directories: { readonly path: string; readonly mtime: Date }[] = [];

  constructor(root: string, extended: ExtendedAttributes, options: LayerOptions) {
    this.#root = root;
    this.#extended = extended;
    this.#options = options;
  }

  async apply(entry: ReadEntry): Promise<void> {
    const { budget } = this.#options;
    const extended = this.#extended.ofNextEntry();
    budget.entries -= 1;
    budget.bytes -= entry.size;
    if (budget.entries < 0 || budget.bytes < 0) throw this.#error(entry, "the image is larger than it may be");
    const name = basename(entry.path);
    if (name === OPAQUE) await this.#emptyBelow(entry);
    else if (name.startsWith(WHITEOUT)) await this.#remove(entry, name.slice(WHITEOUT.length));
    else await this.#make(entry, extended);
    entry.resume();
    await entry.promise();
  }

  async finish(): Promise<void> {
    for (const { path, mtime } of this.#directories.reverse()) {
      await lutimes(path, mtime, mtime).catch(() => undefined); // A later entry may have removed it.
    }
  }

  async #remove(entry: ReadEntry, name: string): Promise<void> {
    if (name === "" || name === "." || name === "..") throw this.#error(entry, "is a whiteout of nothing");
    const path = await inRoot(this.#root, `${dirname(entry.path)}/${name}`);
    if (!this.#made.has(path)) await rm(path, { recursive: true, force: true });
  }

  async #emptyBelow(entry: ReadEntry): Promise<void> {
    await this.#removeOthers(await inRoot(this.#root, dirname(entry.path), { followLast: true }));
  }

  async #removeOthers(directory: string): Promise<void> {
    for (const below of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
      const path = join(directory, below.name);
      if (!this.#made.has(path)) await rm(path, { recursive: true, force: true });
      else if (below.isDirectory()) await this.#removeOthers(path);
    }
  }

  async #make(entry: ReadEntry, extended: Attributes): Promise<void> {
    const path = await inRoot(this.#root, entry.path);
    if (path === this.#root) {
      if (entry.type === "Directory") await setAttributes(entry, path, extended, this.#warn);
      return;
    }
    await mkdir(dirname(path), { recursive: true });
    const there = await lstat(path).catch(() => undefined);
    const isKept = entry.type === "Directory" && there?.isDirectory() === true;
    if (there !== undefined && !isKept) await rm(path, { recursive: true, force: true });
    if (!(await this.#create(entry, path))) return;
    this.#markMade(path);
    // A hard link has its target's.
    if (entry.type !== "Link") await setAttributes(entry, path, extended, this.#warn);
  }

  /** @returns false for what was left out */
  async #create(entry: ReadEntry, path: string): Promise<boolean> {
    switch (entry.type) {
      case "File":
      case "OldFile":
      case "ContiguousFile":
        await writeEntry(entry, path);
        break;
      case "Directory":
      case "GNUDumpDir":
        await mkdir(path, { recursive: true });
        this.#directories.push({ path, mtime: entry.mtime ?? new Date(0) });
        break;
      case "SymbolicLink":
        await symlink(entry.linkpath ?? "", path);
        break;
      case "Link":
        // A link to what is inside, never through a link to what is not.
        await link(await inRoot(this.#root, entry.linkpath ?? ""), path);
        break;
      case "FIFO":
        return this.#makeNode(entry, path, "pipe");
      case "CharacterDevice":
        return this.#makeNode(entry, path, "character");
      case "BlockDevice":
        return this.#makeNode(entry, path, "block");
      default:
        this.#warn(`${entry.path}: ${entry.type} is left out`);
        return false;
    }
    return true;
  }

  /** What stands for a device is the guest's when the guest opens it. */
  #makeNode(entry: ReadEntry, path: string, kind: "pipe" | "character" | "block"): boolean {
    if (this.#options.withoutNodes === true) return false;
    const { devmaj: major, devmin: minor } = entry.header;
    try {
      makeNode(path, kind, { major, minor });
      return true;
    } catch (error) {
      if (!(error instanceof LinuxError)) throw error;
      this.#warn(`${entry.path}: ${entry.type} cannot be made: ${error.errno}`);
      return false;
    }
  }

  readonly #warn = (message: string): void => {
    this.#options.warn?.(message);
  };

  /** With the directories on the way, which an opaque whiteout must leave alone, too. */
  #markMade(path: string): void {
    for (let made = path; made.length > this.#root.length && !this.#made.has(made); made = dirname(made)) {
      this.#made.add(made);
    }
  }

  #error(entry: ReadEntry, reason: string): ImageError {
    return new ImageError("KATA_IMAGE_LAYER", `${this.#options.name}: ${entry.path}: ${reason}`);
  }
}
