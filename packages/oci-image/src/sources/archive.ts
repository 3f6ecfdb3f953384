import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Descriptor, type DockerArchiveEntry, parseDockerArchive } from "../documents.ts";
import { ImageError } from "../errors.ts";
import { inRoot, openInside, readInside } from "../unpack/in-root.ts";
import { applyLayer } from "../unpack/layer.ts";
import { LayoutSource } from "./layout.ts";
import type { ImageSource } from "./source.ts";

const MAX_ENTRIES = 100_000;

export interface ArchiveOptions {
  /** An empty directory, where the archive may be taken apart. */
  readonly directory: string;
  /** One of its images, where it has several: a reference as it was saved. */
  readonly tag?: string | undefined;
  /** How much it may hold. */
  readonly maxBytes: number;
}

/**
 * A tarball as `docker save`, `podman save` and `skopeo copy` write it: an OCI layout in it, or Docker's manifest.json.
 *
 * @throws ImageError KATA_IMAGE_FORMAT, KATA_IMAGE_NOT_FOUND, KATA_IMAGE_LAYER where it is no tarball
 */
export async function openArchive(file: string, { directory, tag, maxBytes }: ArchiveOptions): Promise<ImageSource> {
  const content = join(directory, "content");
  await mkdir(content);
  await applyLayer(content, file, {
    name: file,
    withoutNodes: true,
    budget: { bytes: maxBytes, entries: MAX_ENTRIES },
  });
  // Whatever links are in it: from here on all its names are looked up inside.
  const [index, manifest] = [await inRoot(content, "index.json"), await inRoot(content, "manifest.json")];
  if (existsSync(index) && (tag === undefined || !existsSync(manifest))) return new LayoutSource(content, tag);
  if (!existsSync(manifest)) throw new ImageError("KATA_IMAGE_FORMAT", `${file}: neither an OCI nor a Docker archive`);
  const images = parseDockerArchive(await readInside(content, "manifest.json"), file);
  return layoutOf(chosen(images, file, tag), content, join(directory, "layout"));
}

function chosen(images: readonly DockerArchiveEntry[], file: string, tag: string | undefined): DockerArchiveEntry {
  const fitting = images.filter(({ RepoTags }) => tag === undefined || RepoTags?.includes(tag) === true);
  const [image, ...more] = fitting;
  if (image !== undefined && more.length === 0) return image;
  const tags = images.flatMap(({ RepoTags }) => RepoTags ?? []).join(", ");
  const which = image === undefined ? "no such image" : "several images: name one";
  throw new ImageError("KATA_IMAGE_NOT_FOUND", `${file}: ${which} (has ${tags})`);
}

/** Docker's archive names layers by paths and only the configuration by digest: a manifest is made of that. */
async function layoutOf(image: DockerArchiveEntry, content: string, layout: string): Promise<LayoutSource> {
  const blobs = join(layout, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  const add = async (name: string): Promise<Descriptor> => {
    const descriptor = await describe(content, name).catch((error: unknown) => {
      throw new ImageError("KATA_IMAGE_FORMAT", `${name}: ${(error as Error).message}`, { cause: error });
    });
    const source = await openInside(content, name);
    await writeFile(join(blobs, descriptor.digest.slice("sha256:".length)), source.createReadStream());
    return descriptor;
  };
  const layers: Descriptor[] = [];
  for (const name of image.Layers) layers.push(await add(name));
  const text = JSON.stringify({ schemaVersion: 2, config: await add(image.Config), layers });
  const digest = createHash("sha256").update(text).digest("hex");
  await writeFile(join(blobs, digest), text);
  const manifests = [{ digest: `sha256:${digest}`, size: Buffer.byteLength(text) }];
  await writeFile(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  return new LayoutSource(layout);
}

async function describe(content: string, name: string): Promise<Descriptor> {
  const file = await openInside(content, name);
  const { size } = await file.stat();
  const hash = createHash("sha256");
  for await (const chunk of file.createReadStream()) hash.update(chunk as Buffer);
  return { digest: `sha256:${hash.digest("hex")}`, size };
}
