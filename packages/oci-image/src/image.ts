import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { homedir, machine } from "node:os";
import { join } from "node:path";
import { BlobCache } from "./blobs.ts";
import {
  type Descriptor,
  type ImageConfig,
  isIndex,
  type Manifest,
  type Platform,
  parseImageConfig,
  parseIndex,
  parseManifest,
} from "./documents.ts";
import { ImageError } from "./errors.ts";
import { type ImageProcess, processFor } from "./process.ts";
import { openArchive } from "./sources/archive.ts";
import { LayoutSource } from "./sources/layout.ts";
import { type RegistryOptions, RegistrySource } from "./sources/registry.ts";
import type { ImageSource } from "./sources/source.ts";
import { applyLayer } from "./unpack/layer.ts";

/** Where an image is: an OCI layout, a tarball of `docker save` or an OCI one, or a registry. */
export type ImageLocation =
  | { readonly layout: string; readonly tag?: string }
  | { readonly archive: string; readonly tag?: string }
  | ({ readonly registry: string } & Omit<RegistryOptions, "signal">);

/** What is being done, for people who wait. */
export interface Progress {
  readonly step: "fetching" | "unpacking";
  /** Bytes of compressed layers, so far and in all. */
  readonly done: number;
  readonly total: number;
}

export interface ImageOptions {
  /** Where blobs are kept by digest; `oci` below the user's cache of kata-ts by default. */
  readonly cacheDir?: string;
  /** This machine's by default. */
  readonly platform?: Platform;
  readonly onProgress?: (progress: Progress) => void;
  /** Told what of an image was not restored, and why: attributes and devices that the caller may not make. */
  readonly warn?: (message: string) => void;
  readonly signal?: AbortSignal;
  /** What it may take when it is unpacked; 16 GiB and a million files by default. */
  readonly maxBytes?: number;
  readonly maxEntries?: number;
}

const MAX_BYTES = 16 * 2 ** 30;
const MAX_ENTRIES = 1_000_000;
/** An index of indexes of …: nobody does that. */
const MAX_DEPTH = 3;

/** An image whose blobs are all here, verified. */
export class Image {
  /** The manifest's digest: the same content has the same, wherever it came from. */
  readonly digest: string;
  readonly config: ImageConfig;
  readonly #layers: readonly Layer[];
  readonly #options: ImageOptions;

  constructor(digest: string, config: ImageConfig, layers: readonly Layer[], options: ImageOptions) {
    this.digest = digest;
    this.config = config;
    this.#layers = layers;
    this.#options = options;
  }

  /**
   * Makes its root file system in a directory that is empty, or not there yet. Needs root, for files of other users.
   * Where it fails, the directory is emptied again.
   *
   * @throws ImageError KATA_IMAGE_LAYER, KATA_IMAGE_DIGEST
   */
  async unpack(directory: string): Promise<void> {
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
    } catch (error) {
      for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true, force: true });
      throw error;
    }
  }

  /** What to run in a root file system of it. @param command instead of the image's, behind its entrypoint */
  process(rootfs: string, command?: readonly string[]): Promise<ImageProcess> {
    return processFor(rootfs, this.config.config ?? {}, command);
  }
}

interface Layer {
  readonly path: string;
  readonly diffId: string;
  readonly size: number;
}

/**
 * Finds an image, and fetches what of it is not kept yet. Every blob is checked against its digest.
 *
 * @throws ImageError
 */
export async function openImage(location: ImageLocation, options: ImageOptions = {}): Promise<Image> {
  const cacheDir = options.cacheDir ?? join(homedir(), ".cache", "kata-ts", "oci");
  await mkdir(cacheDir, { recursive: true });
  if (!("archive" in location)) return fetchImage(sourceOf(location, options), new BlobCache(cacheDir), options);
  const apart = await mkdtemp(join(cacheDir, "archive-"));
  try {
    const { archive, tag } = location;
    const source = await openArchive(archive, { directory: apart, tag, maxBytes: options.maxBytes ?? MAX_BYTES });
    return await fetchImage(source, new BlobCache(cacheDir), options);
  } finally {
    await rm(apart, { recursive: true, force: true });
  }
}

function sourceOf(location: Exclude<ImageLocation, { archive: string }>, { signal }: ImageOptions): ImageSource {
  if ("layout" in location) return new LayoutSource(location.layout, location.tag);
  return new RegistrySource(location.registry, { ...location, signal });
}

async function fetchImage(source: ImageSource, cache: BlobCache, options: ImageOptions): Promise<Image> {
  const { signal, onProgress } = options;
  const fetchBlob = (descriptor: Descriptor) => source.blob(descriptor);
  const { digest, manifest } = await findManifest(source, cache, options);
  const config = parseImageConfig(await cache.document(manifest.config, fetchBlob, { signal }), source.name);
  const { diff_ids: diffIds } = config.rootfs;
  if (diffIds.length !== manifest.layers.length) {
    throw new ImageError("KATA_IMAGE_FORMAT", `${source.name}: manifest and configuration have other layers`);
  }
  const total = sum(manifest.layers);
  let done = 0;
  const layers: Layer[] = [];
  for (const [index, layer] of manifest.layers.entries()) {
    const start = done;
    const onBytes = (count: number): void => {
      done += count;
      onProgress?.({ step: "fetching", done, total });
    };
    const path = await cache.path(layer, fetchBlob, { signal, onBytes });
    done = start + layer.size; // One that was kept has brought no bytes.
    onProgress?.({ step: "fetching", done, total });
    layers.push({ path, diffId: diffIds[index] ?? "", size: layer.size });
  }
  return new Image(digest, config, layers, options);
}

/** Through indexes, to the manifest for the platform. */
async function findManifest(
  source: ImageSource,
  cache: BlobCache,
  { platform = ownPlatform(), signal }: ImageOptions,
): Promise<{ readonly digest: string; readonly manifest: Manifest }> {
  let descriptor = await source.root();
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const text = await cache.document(descriptor, (wanted) => source.blob(wanted), { signal });
    if (!isIndex(text, source.name)) {
      return { digest: descriptor.digest, manifest: parseManifest(text, source.name) };
    }
    const { manifests } = parseIndex(text, source.name);
    const fits = ({ platform: theirs }: Descriptor): boolean =>
      theirs?.os === platform.os && theirs.architecture === platform.architecture;
    const found =
      manifests.find(fits) ??
      (manifests.length === 1 && manifests[0]?.platform === undefined ? manifests[0] : undefined);
    if (found === undefined) {
      const has = manifests.map(({ platform: theirs }) => `${theirs?.os ?? "?"}/${theirs?.architecture ?? "?"}`);
      const wanted = `${platform.os}/${platform.architecture}`;
      throw new ImageError("KATA_IMAGE_PLATFORM", `${source.name}: not for ${wanted} (has ${has.join(", ")})`);
    }
    descriptor = found;
  }
  throw new ImageError("KATA_IMAGE_FORMAT", `${source.name}: indexes of indexes of indexes`);
}

const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

function ownPlatform(): Platform {
  return { os: "linux", architecture: GO_ARCHITECTURES[machine()] ?? machine() };
}

function sum(blobs: readonly { readonly size: number }[]): number {
  return blobs.reduce((total, { size }) => total + size, 0);
}
