import type { BlobCache } from "./blobs.ts";
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
import { bestFor, fits, platformText } from "./platform.ts";
import type { ImageSource } from "./sources/source.ts";

/** Indexes nested deeper than this do not occur in practice. */
const MAX_DEPTH = 3;

/** The step that runs, for users who wait. */
export interface Progress {
  readonly step: "fetching" | "unpacking";
  /** Bytes of compressed layers, so far and in all. */
  readonly done: number;
  readonly total: number;
}

/** A layer whose blob is here. */
export interface Layer {
  readonly path: string;
  readonly diffId: string;
  readonly size: number;
}

export interface BlobSize {
  readonly digest: string;
  /** Bytes, as they are kept. */
  readonly size: number;
}

export interface FetchOptions {
  readonly platform: Platform;
  /** What the blobs may have in all, by their manifest's own account; none may have more than that. */
  readonly maxBytes: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

export interface FetchedImage {
  readonly digest: string;
  /** Every blob that it is made of, with the indexes on the way. */
  readonly blobs: readonly BlobSize[];
  readonly config: ImageConfig;
  readonly layers: readonly Layer[];
}

/** Fetches what of an image is not kept yet. @throws ImageError */
export async function fetchImage(source: ImageSource, cache: BlobCache, options: FetchOptions): Promise<FetchedImage> {
  const { signal, onProgress, maxBytes } = options;
  const { digest, manifest, documents } = await findManifest(source, cache, options);
  const total = sum(manifest.layers);
  if (total + manifest.config.size > maxBytes) {
    const reason = `its layers have ${String(total)} bytes, more than the ${String(maxBytes)} that it may have`;
    throw new ImageError("KATA_IMAGE_LAYER", `${source.name}: ${reason}: nothing of them was fetched`);
  }
  const config = parseImageConfig(await cache.document(manifest.config, source, { signal }), source.name);
  if (!fits(config, options.platform)) throw otherPlatform(source, options.platform, [config]);
  const { diff_ids: diffIds } = config.rootfs;
  if (diffIds.length !== manifest.layers.length) {
    throw new ImageError("KATA_IMAGE_FORMAT", `${source.name}: manifest and configuration have other layers`);
  }
  let done = 0;
  const layers: Layer[] = [];
  for (const [index, layer] of manifest.layers.entries()) {
    const start = done;
    const onBytes = (count: number): void => {
      done += count;
      onProgress?.({ step: "fetching", done, total });
    };
    const path = await cache.path(layer, source, { signal, onBytes });
    done = start + layer.size; // One that was kept has brought no bytes.
    onProgress?.({ step: "fetching", done, total });
    layers.push({ path, diffId: diffIds[index] ?? "", size: layer.size });
  }
  const blobs = [...documents, manifest.config, ...manifest.layers].map(({ digest: name, size }) => ({
    digest: name,
    size,
  }));
  return { digest, blobs, config, layers };
}

/** Through indexes, to the manifest for the platform. */
async function findManifest(
  source: ImageSource,
  cache: BlobCache,
  { platform, signal }: FetchOptions,
): Promise<{ readonly digest: string; readonly manifest: Manifest; readonly documents: readonly Descriptor[] }> {
  let descriptor = chosen(source, await source.roots(), platform);
  const documents: Descriptor[] = [];
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const text = await cache.document(descriptor, source, { signal });
    documents.push(descriptor);
    if (!isIndex(text, source.name)) {
      return { digest: descriptor.digest, manifest: parseManifest(text, source.name), documents };
    }
    descriptor = chosen(source, parseIndex(text, source.name).manifests, platform);
  }
  throw new ImageError("KATA_IMAGE_FORMAT", `${source.name}: indexes of indexes of indexes`);
}

/** One alone that says nothing of its platform is looked at: its configuration says it. */
function chosen(source: ImageSource, manifests: readonly Descriptor[], platform: Platform): Descriptor {
  const [first, ...more] = manifests;
  const alone = more.length === 0 && first?.platform === undefined ? first : undefined;
  const found = bestFor(platform, manifests) ?? alone;
  if (found !== undefined) return found;
  const has = manifests.map((each) => each.platform ?? { os: "?", architecture: "?" });
  throw otherPlatform(source, platform, has);
}

function otherPlatform({ name }: ImageSource, wanted: Platform, has: readonly Platform[]): ImageError {
  const platforms = has.map(platformText).join(", ");
  return new ImageError("KATA_IMAGE_PLATFORM", `${name}: not for ${platformText(wanted)} (has ${platforms})`);
}

export function sum(blobs: readonly { readonly size: number }[]): number {
  return blobs.reduce((total, { size }) => total + size, 0);
}
