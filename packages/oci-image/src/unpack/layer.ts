import { createReadStream } from "node:fs";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readTar } from "@kata-ts/tree";
import { verified } from "../blobs.ts";
import { ImageError } from "../errors.ts";
import { shown } from "../text.ts";
import { Application } from "./application.ts";
import { bytePath, readable } from "./bytes.ts";
import { decompressorOf } from "./decompressor.ts";

export interface LayerOptions {
  /** For messages. */
  readonly name: string;
  /** The digest that its content has to have when it is not compressed; unchecked where there is none. */
  readonly diffId?: string;
  /** How many bytes and files more may be unpacked; counted down. */
  readonly budget: Budget;
  /** For what is no root file system: owners, modes and attributes are not restored, pipes and devices left out. */
  readonly contentOnly?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told what of the layer was not restored, and why. */
  readonly warn?: (message: string) => void;
}

/** What a whole image may take, whatever its layers claim: every byte of their tars counts, headers and holes, too. */
interface Budget {
  bytes: number;
  entries: number;
}

/**
 * Applies a layer to a root file system that no other process changes meanwhile. Nothing outside of it is touched, whatever
 * names and links the layer has.
 *
 * @param path the layer's blob: tar, plain or compressed by gzip or zstd, told by its first bytes
 * @throws ImageError KATA_IMAGE_LAYER, KATA_IMAGE_DIGEST
 */
export async function applyLayer(root: string, path: string, options: LayerOptions): Promise<void> {
  const { diffId, budget, signal } = options;
  const warn = (message: string): void => options.warn?.(shown(message));
  const application = new Application(bytePath(root), { contentOnly: options.contentOnly === true, warn });
  const apply = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const entry of readTar(metered(chunks, budget), warn)) {
      budget.entries -= 1;
      budget.bytes -= entry.runs === undefined ? 0 : holesOf(entry.size, entry.runs);
      if (budget.entries < 0 || budget.bytes < 0) throw tooLarge(readable(entry.path));
      await application.apply(entry);
    }
  };
  try {
    const decompressor = (await decompressorOf(path)) ?? new PassThrough();
    const check =
      diffId === undefined ? new PassThrough() : verified({ digest: diffId, size: Number.POSITIVE_INFINITY });
    await pipeline(createReadStream(path), decompressor, check, apply, signal === undefined ? {} : { signal });
    await application.finish();
  } catch (error) {
    signal?.throwIfAborted();
    throw asLayerError(error, options);
  }
}

async function* metered(chunks: AsyncIterable<Buffer>, budget: Budget): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    budget.bytes -= chunk.length;
    if (budget.bytes < 0) throw tooLarge("");
    yield chunk;
  }
}

function holesOf(size: number, runs: readonly { readonly length: number }[]): number {
  return size - runs.reduce((sum, { length }) => sum + length, 0);
}

function tooLarge(path: string): ImageError {
  return new ImageError("KATA_IMAGE_LAYER", `${path === "" ? "" : `${path}: `}the image is larger than it may be`);
}

function asLayerError(error: unknown, { name }: LayerOptions): ImageError {
  const { message } = error as Error;
  const code = error instanceof ImageError ? error.code : "KATA_IMAGE_LAYER";
  return new ImageError(code, shown(message.startsWith(name) ? message : `${name}: ${message}`), { cause: error });
}
