import { truncate, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { GuestImageError } from "./errors.ts";

/** Fixed, so that equal content gives an equal image. */
const UUID = "6b617461-7473-4775-8573-740000000001";
const TIMESTAMP = "1700000000";
const MIB = 1024 * 1024;

/** Writes a directory tree as an ext4 image that is only ever mounted read-only: no journal, no spare room. */
export async function writeExt4(tree: string, image: string): Promise<void> {
  // Times in the tree are the build's; they would make each image differ.
  await execa("find", [tree, "-exec", "touch", "-h", "-d", `@${TIMESTAMP}`, "{}", "+"]);
  const { stdout } = await execa("du", ["-s", "--apparent-size", "--block-size=1M", tree]);
  const mebibytes = wholeBlocks(Math.ceil(Number.parseInt(stdout, 10) * 1.1) + 16);
  await writeFile(image, "");
  await truncate(image, mebibytes * MIB);
  const features = [
    "-O",
    "^has_journal,^resize_inode,^metadata_csum,^64bit",
    "-E",
    `hash_seed=${UUID},lazy_itable_init=0,root_owner=0:0`,
  ];
  const made = await execa(
    "mke2fs",
    // DAX needs blocks of a page.
    [
      "-q",
      "-t",
      "ext4",
      "-F",
      "-b",
      "4096",
      "-m",
      "0",
      "-N",
      "4096",
      "-U",
      UUID,
      "-L",
      "kata-guest",
      ...features,
      "-d",
      tree,
      image,
    ],
    { reject: false, env: { E2FSPROGS_FAKE_TIME: TIMESTAMP, SOURCE_DATE_EPOCH: TIMESTAMP } },
  );
  if (made.failed) throw new GuestImageError(`mke2fs: ${made.stderr}`, "install the package e2fsprogs");
  await fixTimes(tree, image);
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
async function fixTimes(tree: string, image: string): Promise<void> {
  const { stdout } = await execa("find", [tree, "-printf", "."]);
  // Inodes are given out in order; a hard link makes this one too many, which does no harm.
  const inodes = [ROOT_INODE, ...Array.from({ length: stdout.length + 1 }, (_, index) => FIRST_INODE + index)];
  const commands = inodes.flatMap((inode) =>
    ["atime", "atime_extra", "ctime", "ctime_extra", "crtime", "crtime_extra"].map(
      (field) => `set_inode_field <${String(inode)}> ${field} ${field.endsWith("extra") ? "0" : `@${TIMESTAMP}`}`,
    ),
  );
  const fixed = await execa("debugfs", ["-w", "-f", "-", image], { input: `${commands.join("\n")}\n`, reject: false });
  if (fixed.failed) throw new GuestImageError(`debugfs: ${fixed.stderr}`, "install the package e2fsprogs");
}
