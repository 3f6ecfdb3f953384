import { constants } from "node:fs";
import { type FileHandle, lstat, open, readlink } from "node:fs/promises";
import { join } from "node:path";
import { ImageError } from "../errors.ts";
import { type BytePath, bytePath, onDisk, readable } from "./bytes.ts";

/** As the kernel: so many links may be followed before it is a loop. */
const MAX_LINKS = 40;

const MAX_FILE_BYTES = 4 * 2 ** 20;

/**
 * Where a path of an image leads, with `root` as its `/`: links on the way are followed inside, `..` stops at the root.
 * The last component is followed only when asked. No other process may change the directory meanwhile.
 *
 * @throws ImageError KATA_IMAGE_LAYER for loops of links
 */
export async function inRoot(
  root: BytePath,
  path: BytePath,
  { followLast = false }: { readonly followLast?: boolean } = {},
): Promise<BytePath> {
  const ahead = path.split("/").reverse();
  const inside: string[] = [];
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      inside.pop();
      continue;
    }
    const isLast = ahead.every((rest) => rest === "" || rest === ".");
    const target = isLast && !followLast ? undefined : await linkAt(join(root, ...inside, name));
    if (target === undefined) {
      inside.push(name);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new ImageError("KATA_IMAGE_LAYER", `${readable(path)}: too many links`);
    if (target.startsWith("/")) inside.length = 0;
    ahead.push(...target.split("/").reverse());
  }
  return join(root, ...inside);
}

/**
 * Opens a file of an image, or of a directory of unknown origin. Only a regular file is opened: anything else could be a
 * device of this machine, or a pipe without a writer.
 *
 * @param root a path of this machine, as text; `path`, too
 * @throws ImageError KATA_IMAGE_FORMAT
 */
export async function openInside(root: string, path: string): Promise<FileHandle> {
  return await open(await fileInside(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** Where a file of an image is. @throws ImageError KATA_IMAGE_FORMAT for what is no file */
export async function fileInside(root: string, path: string): Promise<Buffer> {
  const found = onDisk(await inRoot(bytePath(root), bytePath(path), { followLast: true }));
  if (!(await lstat(found)).isFile()) throw new ImageError("KATA_IMAGE_FORMAT", `${path}: is no file`);
  return found;
}

/** A small file, as openInside opens it. */
export async function readInside(root: string, path: string): Promise<Buffer> {
  await using file = await openInside(root, path);
  const { size } = await file.stat();
  if (size > MAX_FILE_BYTES) throw new ImageError("KATA_IMAGE_FORMAT", `${path}: ${String(size)} bytes are too many`);
  return await file.readFile();
}

async function linkAt(path: BytePath): Promise<BytePath | undefined> {
  const found = await lstat(onDisk(path)).catch(() => undefined);
  if (found?.isSymbolicLink() !== true) return undefined;
  return (await readlink(onDisk(path), { encoding: "buffer" })).toString("latin1");
}
