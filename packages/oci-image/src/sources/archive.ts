import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { extract } from "tar";
import { type Descriptor, parseDockerArchive } from "../documents.ts";
import { ImageError } from "../errors.ts";
import { inRoot } from "../unpack/in-root.ts";
import { LayoutSource } from "./layout.ts";
import type { ImageSource } from "./source.ts";

const KINDS: ReadonlySet<string> = new Set(["File", "OldFile", "Directory", "SymbolicLink"]);

/**
 * A tarball as `docker save`, `podman save` and `skopeo copy` write it: an OCI layout in it, or Docker's manifest.json.
 *
 * @param directory an empty one, where it may be taken apart
 * @param tag one of its images, where it has several: a reference as it was saved
 */
export async function openArchive(file: string, directory: string, tag?: string): Promise<ImageSource> {
  try {
    // Only inside: names that lead out are refused, and links are never followed.
    await extract({
      file,
      cwd: directory,
      strict: true,
      filter: (_, entry) => "type" in entry && KINDS.has(entry.type),
    });
  } catch (error) {
    throw new ImageError("KATA_IMAGE_FORMAT", `${file}: ${(error as Error).message}`, { cause: error });
  }
  const manifest = join(directory, "manifest.json");
  if (existsSync(join(directory, "index.json")) && (tag === undefined || !existsSync(manifest))) {
    return new LayoutSource(directory, tag);
  }
  if (!existsSync(manifest)) throw new ImageError("KATA_IMAGE_FORMAT", `${file}: neither an OCI nor a Docker archive`);
  return layoutOf(file, directory, tag);
}

/** Docker's archive names layers by paths and only the configuration by digest: a manifest is made of that. */
async function layoutOf(file: string, directory: string, tag: string | undefined): Promise<LayoutSource> {
  const images = parseDockerArchive(await readFile(join(directory, "manifest.json")), file);
  const fitting = images.filter(({ RepoTags }) => tag === undefined || RepoTags?.includes(tag) === true);
  const [image, ...more] = fitting;
  if (image === undefined || more.length > 0) {
    const tags = images.flatMap(({ RepoTags }) => RepoTags ?? []).join(", ");
    throw new ImageError(
      "KATA_IMAGE_NOT_FOUND",
      `${file}: ${image === undefined ? "no such image" : "several images"} (has ${tags})`,
    );
  }
  const blobs = join(directory, "kata-layout", "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  const add = async (name: string): Promise<Descriptor> => {
    const path = await inRoot(directory, name, { followLast: true });
    const descriptor = await describe(path);
    await writeFile(join(blobs, descriptor.digest.slice(7)), createReadStream(path));
    return descriptor;
  };
  const layers: Descriptor[] = [];
  for (const name of image.Layers) layers.push(await add(name));
  const text = JSON.stringify({ schemaVersion: 2, config: await add(image.Config), layers });
  const digest = createHash("sha256").update(text).digest("hex");
  await writeFile(join(blobs, digest), text);
  const manifests = [{ digest: `sha256:${digest}`, size: Buffer.byteLength(text) }];
  await writeFile(join(directory, "kata-layout", "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  return new LayoutSource(join(directory, "kata-layout"));
}

async function describe(path: string): Promise<Descriptor> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return { digest: `sha256:${hash.digest("hex")}`, size: (await stat(path)).size };
}
