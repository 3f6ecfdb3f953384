import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { KataError, reasonOf } from "../errors.ts";

interface Mark {
  readonly fsType: string;
  readonly offset: number;
  readonly bytes: Buffer;
}

/** What file systems that the guest's kernel has are known by: their superblocks, as the kernel's documentation has them. */
const MARKS: readonly Mark[] = [
  { fsType: "ext4", offset: 0x438, bytes: Buffer.from([0x53, 0xef]) },
  { fsType: "xfs", offset: 0, bytes: Buffer.from("XFSB") },
];

/** The kind of file system that is in a block device or file; ext4 for ext2 and ext3, too. @throws KataError KATA_CONFIG */
export async function fileSystemOf(path: string): Promise<string> {
  // A pipe that no process writes to is not waited for.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new KataError("KATA_CONFIG", `the root file system ${path} cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  });
  const stats = await file.stat();
  const marks = stats.isFile() || stats.isBlockDevice() ? MARKS : [];
  for (const { fsType, offset, bytes } of marks) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(bytes.length), 0, bytes.length, offset);
    if (bytesRead === bytes.length && buffer.equals(bytes)) return fsType;
  }
  throw new KataError(
    "KATA_CONFIG",
    `the root file system ${path} is neither a directory nor a disk with a file system`,
    {
      hint: "ext2, ext3, ext4 and xfs are known",
    },
  );
}
