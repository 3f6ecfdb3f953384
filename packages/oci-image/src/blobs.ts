import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Descriptor } from "./documents.ts";
import { ImageError } from "./errors.ts";

/** Documents are small; what claims to be a larger one is none. */
const MAX_DOCUMENT_BYTES = 4 * 2 ** 20;

/** Where blobs come from when they are not kept yet. */
export type FetchBlob = (descriptor: Descriptor) => Promise<Readable>;

export interface BlobOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes more have come. */
  readonly onBytes?: ((count: number) => void) | undefined;
}

/** Blobs by digest, in a directory that many processes may share. Nothing unverified is ever in it. */
export class BlobCache {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = join(directory, "blobs", "sha256");
  }

  /** The path of a blob, which is fetched where it is not there. @throws ImageError KATA_IMAGE_DIGEST */
  async path(descriptor: Descriptor, fetchBlob: FetchBlob, { signal, onBytes }: BlobOptions = {}): Promise<string> {
    const finished = join(this.#directory, descriptor.digest.slice("sha256:".length));
    const known = await stat(finished).catch(() => undefined);
    if (known?.size === descriptor.size) return finished;
    await mkdir(this.#directory, { recursive: true });
    const unfinished = `${finished}.${randomBytes(4).toString("hex")}.part`;
    try {
      const source = await fetchBlob(descriptor);
      await pipeline(source, verified(descriptor, onBytes), createWriteStream(unfinished), {
        ...(signal === undefined ? {} : { signal }),
      });
      await rename(unfinished, finished);
    } finally {
      await rm(unfinished, { force: true });
    }
    return finished;
  }

  /** A small blob's content. @throws ImageError */
  async document(descriptor: Descriptor, fetchBlob: FetchBlob, options: BlobOptions = {}): Promise<Buffer> {
    if (descriptor.size > MAX_DOCUMENT_BYTES) {
      throw new ImageError(
        "KATA_IMAGE_FORMAT",
        `${descriptor.digest}: ${String(descriptor.size)} bytes are no document`,
      );
    }
    return readFile(await this.path(descriptor, fetchBlob, options));
  }
}

export function streamOf(path: string): Readable {
  return createReadStream(path);
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
