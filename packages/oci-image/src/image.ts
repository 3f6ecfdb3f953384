import { mkdir, readdir, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { BlobCache } from "./blobs.ts";
import type { ImageConfig, Platform } from "./documents.ts";
import { ImageError } from "./errors.ts";
import { type BlobSize, type FetchedImage, fetchImage, type Layer, type Progress, sum } from "./fetch-image.ts";
import { ownPlatform } from "./platform.ts";
import { type ImageProcess, processFor } from "./process.ts";
import { openArchive } from "./sources/archive.ts";
import { LayoutSource } from "./sources/layout.ts";
import { RegistrySource } from "./sources/registry.ts";
import type { RegistryOptions } from "./sources/registry-options.ts";
import { RememberedRegistry } from "./sources/remembered.ts";
import type { ImageSource } from "./sources/source.ts";
import { applyLayer } from "./unpack/layer.ts";
import { Workspace } from "./workspace.ts";

/** Where an image is: an OCI layout, a tarball of `docker save` or an OCI one, or a registry. */
export type ImageLocation =
  | { readonly layout: string; readonly tag?: string }
  | { readonly archive: string; readonly tag?: string }
  | ({ readonly registry: string } & Omit<RegistryOptions, "signal">);

export interface ImageOptions {
  /** Where blobs are kept by digest; `oci` below the user's cache of kata-ts by default. */
  readonly cacheDir?: string;
  /** This machine's by default. */
  readonly platform?: Platform;
  readonly onProgress?: (progress: Progress) => void;
  /**
   * Told what of an image was not restored, and why: attributes and devices that the caller may not make. And told where a
   * registry cannot be reached and the image of the last time is used.
   */
  readonly warn?: (message: string) => void;
  readonly signal?: AbortSignal;
  /**
   * What it may take: 16 GiB and a million files by default. Its blobs as it claims them, before any is fetched; then every
   * byte of its layers that is decompressed.
   */
  readonly maxBytes?: number;
  readonly maxEntries?: number;
}

const MAX_BYTES = 16 * 2 ** 30;
const MAX_ENTRIES = 1_000_000;
/** An image whose blobs are all here, verified. */
export class Image {
  /** The manifest's digest: the same content has the same, wherever it came from. */
  readonly digest: string;
  readonly config: ImageConfig;
  /** What it is made of: indexes, manifest, configuration and layers. */
  readonly blobs: readonly BlobSize[];
  readonly #layers: readonly Layer[];
  readonly #options: ImageOptions;

  constructor({ digest, config, blobs, layers }: FetchedImage, options: ImageOptions) {
    this.digest = digest;
    this.config = config;
    this.blobs = blobs;
    this.#layers = layers;
    this.#options = options;
  }

  /**
   * Makes its root file system in a directory that is empty, or not there yet. Needs root, for files of other users.
   * Where it fails, the directory is emptied again.
   *
   * @returns the bytes of its layers' tars, without compression
   * @throws ImageError KATA_IMAGE_LAYER, KATA_IMAGE_DIGEST
   */
  async unpack(directory: string): Promise<number> {
    const { signal, onProgress, maxBytes = MAX_BYTES, maxEntries = MAX_ENTRIES, warn } = this.#options;
    await mkdir(directory, { recursive: true, mode: 0o755 });
    if ((await readdir(directory)).length > 0) throw new ImageError("KATA_IMAGE_LAYER", `${directory} is not empty`);
    const budget = { bytes: maxBytes, entries: maxEntries };
    const total = sum(this.#layers);
    let done = 0;
    try {
      for (const { path, diffId, size } of this.#layers) {
        onProgress?.({ step: "unpacking", done, total });
        await applyLayer(directory, path, { name: diffId, diffId, budget, signal, ...(warn && { warn }) });
        done += size;
      }
      onProgress?.({ step: "unpacking", done, total });
      return maxBytes - budget.bytes;
    } catch (error) {
      for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true, force: true });
      throw error;
    }
  }

  /**
   * What to run in a root file system of it.
   *
   * @param command instead of the image's, behind its entrypoint
   * @throws ImageError KATA_IMAGE_FORMAT where there is none, or the image's user has numbers that no user has
   */
  process(command?: readonly string[]): ImageProcess {
    return processFor(this.config.config ?? {}, command, `image ${this.digest}`);
  }
}

/**
 * Finds an image, and fetches what of it is not kept yet. Every blob is checked against its digest.
 *
 * @throws ImageError
 */
export async function openImage(location: ImageLocation, options: ImageOptions = {}): Promise<Image> {
  const { maxBytes = MAX_BYTES, platform = ownPlatform(), signal, onProgress } = options;
  signal?.throwIfAborted();
  const cacheDir = options.cacheDir ?? join(homedir(), ".cache", "kata-ts", "oci");
  await using workspace = await Workspace.open(cacheDir);
  const cache = new BlobCache(cacheDir, workspace.path);
  try {
    const source = await sourceOf(location, { ...options, cacheDir, cache, maxBytes, directory: workspace.path });
    const fetched = await fetchImage(source, cache, { platform, maxBytes, signal, onProgress });
    return new Image(fetched, options);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

async function sourceOf(
  location: ImageLocation,
  options: ImageOptions & {
    readonly cacheDir: string;
    readonly cache: BlobCache;
    readonly maxBytes: number;
    readonly directory: string;
  },
): Promise<ImageSource> {
  if ("layout" in location) return new LayoutSource(location.layout, location.tag);
  if ("archive" in location) return await openArchive(location.archive, { tag: location.tag, ...options });
  const { cache, cacheDir, signal, warn = () => undefined } = options;
  const registry = new RegistrySource(location.registry, { ...location, signal });
  return new RememberedRegistry(registry, { cache, directory: join(cacheDir, "names"), warn });
}
