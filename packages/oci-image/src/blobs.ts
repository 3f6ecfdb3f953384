import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Descriptor } from "./documents.ts";
import { ImageError } from "./errors.ts";
import type { ImageSource } from "./sources/source.ts";

/** Documents are small; what claims to be a larger one is none. */
const MAX_DOCUMENT_BYTES = 4 * 2 ** 20;

export interface BlobOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes more have come. */
  readonly onBytes?: ((count: number) => void) | undefined;
}

/** Blobs by digest, in a directory that many processes may share. Nothing unverified is ever in it. */
export class BlobCache {
  readonly #directory: string;
  readonly #unfinished: string;

  /** @param unfinished a directory on the same file system for what is still being fetched */
  constructor(directory: string, unfinished: string) {
    this.#directory = join(directory, "blobs", "sha256");
    this.#unfinished = unfinished;
  }

  /** The path of a blob, which is fetched where it is not there. @throws ImageError KATA_IMAGE_DIGEST */
  async path(descriptor: Descriptor, source: ImageSource, { signal, onBytes }: BlobOptions = {}): Promise<string> {
    const finished = await this.known(descriptor);
    if (finished !== undefined) return finished;
    await mkdir(this.#directory, { recursive: true });
    const place = this.#place(descriptor);
    const abort = signal === undefined ? {} : { signal };
    const check = verified(descriptor, onBytes);
    const own = await source.ownFile?.(descriptor);
    if (own !== undefined) {
      await pipeline(createReadStream(own), check, nowhere(), abort);
      await rename(own, place);
      return place;
    }
    const unfinished = join(this.#unfinished, `${randomBytes(8).toString("hex")}.part`);
    try {
      await pipeline(await source.blob(descriptor), check, createWriteStream(unfinished, { flags: "wx" }), abort);
      await rename(unfinished, place);
    } finally {
      await rm(unfinished, { force: true });
    }
    return place;
  }

  /** The path of a blob that is there. */
  async known(descriptor: Descriptor): Promise<string | undefined> {
    const place = this.#place(descriptor);
    const found = await stat(place).catch(() => undefined);
    return found?.size === descriptor.size ? place : undefined;
  }

  /** A blob that is known by its digest alone; undefined where it is not there. */
  async keptAs(digest: string): Promise<Descriptor | undefined> {
    const found = await stat(this.#place({ digest })).catch(() => undefined);
    return found === undefined ? undefined : { digest, size: found.size };
  }

  /** A small blob's content. @throws ImageError */
  async document(descriptor: Descriptor, source: ImageSource, options: BlobOptions = {}): Promise<Buffer> {
    if (descriptor.size > MAX_DOCUMENT_BYTES) {
      throw new ImageError(
        "KATA_IMAGE_FORMAT",
        `${descriptor.digest}: ${String(descriptor.size)} bytes are no document`,
      );
    }
    return readFile(await this.path(descriptor, source, options));
  }

  #place({ digest }: Pick<Descriptor, "digest">): string {
    return join(this.#directory, digest.slice("sha256:".length));
  }
}

function nowhere(): Writable {
  return new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
}

/** Passes on what has the digest and the size that it should have; its end fails where it has not. */
export function verified(
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  onBytes?: (count: number) => void,
): Transform {
  const hash = createHash("sha256");
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      hash.update(chunk);
      onBytes?.(chunk.length);
      if (seen > size) done(new ImageError("KATA_IMAGE_DIGEST", `${digest}: is longer than its ${String(size)} bytes`));
      else done(null, chunk);
    },
    flush(done) {
      const found = `sha256:${hash.digest("hex")}`;
      const isRight = found === digest && (seen === size || size === Number.POSITIVE_INFINITY);
      done(
        isRight ? null : new ImageError("KATA_IMAGE_DIGEST", `${digest}: what came is ${found}, ${String(seen)} bytes`),
      );
    },
  });
}
