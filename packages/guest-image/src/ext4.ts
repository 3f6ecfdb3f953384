import { lstat, readdir, truncate, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { execa } from "execa";
import { type BuildRoot, WORK } from "./build-root/run.ts";

/** Fixed, so that equal content gives an equal image. */
const UUID = "6b617461-7473-4775-8573-740000000001";
const TIMESTAMP = "1700000000";
/** What e2fsprogs take for the time, of an inode or of the file system's last change. */
const CLOCK = { E2FSPROGS_FAKE_TIME: TIMESTAMP, SOURCE_DATE_EPOCH: TIMESTAMP };
const MIB = 1024 * 1024;
const BLOCK = 4096;

/**
 * Writes a directory tree as an ext4 image that is only ever mounted read-only: no journal, no spare room.
 * @param tree beside the image, in one directory
 */
export async function writeExt4(tools: BuildRoot, tree: string, image: string): Promise<void> {
  // Times in the tree are the build's; they would make each image differ.
  await execa("find", [tree, "-exec", "touch", "-h", "-d", `@${TIMESTAMP}`, "{}", "+"]);
  const { bytes, entries } = await measure(tree);
  const mebibytes = wholeBlocks(Math.ceil((bytes / MIB) * 1.1) + 16);
  await writeFile(image, "");
  await truncate(image, mebibytes * MIB);
  const features = [
    ...["-O", "^has_journal,^resize_inode,^metadata_csum,^64bit"],
    ...["-E", `hash_seed=${UUID},lazy_itable_init=0,root_owner=0:0`],
  ];
  // DAX needs blocks of a page.
  const layout = ["-t", "ext4", "-F", "-b", "4096", "-m", "0", "-N", "4096", "-U", UUID, "-L", "kata-guest"];
  const [from, to] = [`${WORK}/${basename(tree)}`, `${WORK}/${basename(image)}`];
  await tools.run(dirname(image), ["mke2fs", "-q", ...layout, ...features, "-d", from, to], { env: CLOCK });
  await fixTimes(tools, entries, image);
}

/** In blocks, as the image has them: what the host's file system takes for a directory or a file is its own affair. */
async function measure(tree: string): Promise<{ bytes: number; entries: number }> {
  const sum = { bytes: 0, entries: 0 };
  for await (const path of walk(tree)) {
    const stats = await lstat(path);
    sum.bytes += stats.isFile() ? Math.ceil(stats.size / BLOCK) * BLOCK : BLOCK;
    sum.entries += 1;
  }
  return sum;
}

/** What a recursive readdir does not: it follows symbolic links, and the tree's /run would be the host's. */
async function* walk(directory: string): AsyncGenerator<string> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    yield path;
    if (entry.isDirectory()) yield* walk(path);
  }
}

/** A guest that has the image as memory finds more memory behind it, which its kernel takes in blocks of this size. */
const BLOCK_MIB = 128;

function wholeBlocks(mebibytes: number): number {
  return Math.ceil(mebibytes / BLOCK_MIB) * BLOCK_MIB;
}

const ROOT_INODE = 2;
const FIRST_INODE = 11;

/**
 * The time of an inode's last change cannot be set in a tree, and that of the last access changes with every look: mke2fs
 * copies both, and they are set in the image.
 */
async function fixTimes(tools: BuildRoot, entries: number, image: string): Promise<void> {
  // Inodes are given out in order; a hard link makes this one too many, which does no harm.
  const inodes = [ROOT_INODE, ...Array.from({ length: entries + 2 }, (_, index) => FIRST_INODE + index)];
  const commands = inodes.flatMap((inode) =>
    ["atime", "atime_extra", "ctime", "ctime_extra", "crtime", "crtime_extra"].map(
      (field) => `set_inode_field <${String(inode)}> ${field} ${field.endsWith("extra") ? "0" : `@${TIMESTAMP}`}`,
    ),
  );
  const input = `${commands.join("\n")}\n`;
  await tools.run(dirname(image), ["debugfs", "-w", "-f", "-", `${WORK}/${basename(image)}`], { input, env: CLOCK });
}
