import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { BlobCache } from "../blobs.ts";
import { type Descriptor, parseDescriptor } from "../documents.ts";
import { ConnectionLost } from "./http-client.ts";
import type { RegistrySource } from "./registry.ts";
import type { ImageSource } from "./source.ts";

export interface MemoryOptions {
  readonly cache: BlobCache;
  /** Where it is kept which digest a name had. */
  readonly directory: string;
  /** Told when what is remembered is used. */
  readonly warn: (message: string) => void;
}

/** A registry that need not be there for what is here already: by digest it is not asked, by name only asked first. */
export class RememberedRegistry implements ImageSource {
  readonly name: string;
  readonly #registry: RegistrySource;
  readonly #options: MemoryOptions;

  constructor(registry: RegistrySource, options: MemoryOptions) {
    this.name = registry.name;
    this.#registry = registry;
    this.#options = options;
  }

  async roots(): Promise<readonly Descriptor[]> {
    const { cache, warn } = this.#options;
    const { version } = this.#registry.reference;
    const kept = version.startsWith("sha256:") ? await cache.keptAs(version) : undefined;
    if (kept !== undefined) return [kept];
    try {
      const found = await this.#registry.roots();
      if (found[0] !== undefined) await this.#remember(found[0]);
      return found;
    } catch (error) {
      const known = error instanceof ConnectionLost ? await this.#recall() : undefined;
      if (known === undefined || (await cache.known(known)) === undefined) throw error;
      warn(`the registry cannot be reached, the image is the one of the last time: ${(error as Error).message}`);
      return [known];
    }
  }

  blob(descriptor: Descriptor): Promise<Readable> {
    return this.#registry.blob(descriptor);
  }

  get #file(): string {
    const { host, repository, version } = this.#registry.reference;
    const key = createHash("sha256").update(`${host}/${repository}:${version}`).digest("hex");
    return join(this.#options.directory, `${key}.json`);
  }

  async #remember(descriptor: Descriptor): Promise<void> {
    await mkdir(this.#options.directory, { recursive: true });
    const unfinished = `${this.#file}.${randomBytes(4).toString("hex")}`;
    await writeFile(unfinished, JSON.stringify({ name: this.name, ...descriptor }));
    await rename(unfinished, this.#file);
  }

  async #recall(): Promise<Descriptor | undefined> {
    try {
      return parseDescriptor(await readFile(this.#file), this.#file);
    } catch {
      return undefined; // It was never here, or is of another version.
    }
  }
}
