import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Descriptor, type DockerArchiveEntry, parseDockerArchive } from "../documents.ts";
import { ImageError } from "../errors.ts";
import { bytePath, onDisk } from "../unpack/bytes.ts";
import { fileInside, inRoot, readInside } from "../unpack/in-root.ts";
import { applyLayer } from "../unpack/layer.ts";
import { LayoutSource } from "./layout.ts";
import { isNamed } from "./reference.ts";
import type { ImageSource } from "./source.ts";

const MAX_ENTRIES = 100_000;

export interface ArchiveOptions {
  /** An empty directory, where the archive may be taken apart. */
  readonly directory: string;
  /** One of its images, where it has several: a reference as it was saved. */
  readonly tag?: string | undefined;
  /** How much it may hold. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A tarball as `docker save`, `podman save` and `skopeo copy` write it: an OCI layout in it, or Docker's manifest.json.
 *
 * @throws ImageError KATA_IMAGE_FORMAT, KATA_IMAGE_NOT_FOUND, KATA_IMAGE_LAYER where it is no tarball
 */
export async function openArchive(file: string, options: ArchiveOptions): Promise<ImageSource> {
  const { directory, tag, maxBytes, signal } = options;
  const content = join(directory, "content");
  await mkdir(content);
  const budget = { bytes: maxBytes, entries: MAX_ENTRIES };
  await applyLayer(content, file, { name: file, contentOnly: true, budget, signal });
  const [index, manifest] = await Promise.all([has(content, "index.json"), has(content, "manifest.json")]);
  const ours = { name: file, isOurs: true };
  if (index && (tag === undefined || !manifest)) return new LayoutSource(content, tag, ours);
  if (!manifest) throw new ImageError("KATA_IMAGE_FORMAT", `${file}: neither an OCI nor a Docker archive`);
  const images = parseDockerArchive(await readInside(content, "manifest.json"), file);
  return layoutOf(chosen(images, file, tag), content, { layout: join(directory, "layout"), file });
}

/** Whatever links are in it: from here on all its names are looked up inside. */
async function has(content: string, name: string): Promise<boolean> {
  return existsSync(onDisk(await inRoot(bytePath(content), name)));
}

function chosen(images: readonly DockerArchiveEntry[], file: string, tag: string | undefined): DockerArchiveEntry {
  const fitting = images.filter(({ RepoTags }) => tag === undefined || isOneOf(RepoTags, tag));
  const [image, ...more] = fitting;
  if (image !== undefined && more.length === 0) return image;
  const tags = images.flatMap(({ RepoTags }) => RepoTags ?? []).join(", ");
  const which = image === undefined ? "no such image" : "several images: name one";
  throw new ImageError("KATA_IMAGE_NOT_FOUND", `${file}: ${which} (has ${tags})`);
}

function isOneOf(names: DockerArchiveEntry["RepoTags"], tag: string): boolean {
  return names?.some((name) => isNamed(name, tag)) === true;
}

/**
 * Docker's archive names layers by paths and only the configuration by digest: a manifest is made of that. Its files are
 * moved, not copied: an archive lies on disk once.
 */
async function layoutOf(
  image: DockerArchiveEntry,
  content: string,
  { layout, file }: { readonly layout: string; readonly file: string },
): Promise<LayoutSource> {
  const blobs = join(layout, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  const known: Map<string, Descriptor> = new Map();
  const add = async (name: string): Promise<Descriptor> => {
    try {
      const path = await fileInside(content, name);
      // Older archives have one layer twice, by a link.
      const before = known.get(path.toString("latin1"));
      if (before !== undefined) return before;
      const descriptor = await describe(path);
      await rename(path, join(blobs, descriptor.digest.slice("sha256:".length)));
      known.set(path.toString("latin1"), descriptor);
      return descriptor;
    } catch (error) {
      const reason = (error as Error).message;
      throw new ImageError("KATA_IMAGE_FORMAT", `${file}: ${name}: ${reason}`, { cause: error });
    }
  };
  const layers: Descriptor[] = [];
  for (const name of image.Layers) layers.push(await add(name));
  const text = JSON.stringify({ schemaVersion: 2, config: await add(image.Config), layers });
  const digest = createHash("sha256").update(text).digest("hex");
  await writeFile(join(blobs, digest), text);
  const manifests = [{ digest: `sha256:${digest}`, size: Buffer.byteLength(text) }];
  await writeFile(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  return new LayoutSource(layout, undefined, { name: file, isOurs: true });
}

async function describe(path: Buffer): Promise<Descriptor> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { digest: `sha256:${hash.digest("hex")}`, size };
}
