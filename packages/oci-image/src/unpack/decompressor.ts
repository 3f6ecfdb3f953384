import { open } from "node:fs/promises";
import type { Duplex } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { ImageError } from "../errors.ts";

/** What a tar may be compressed by, by the first bytes of it. */
const FORMATS: readonly (readonly [magic: string, name: string, make?: () => Duplex])[] = [
  ["1f8b", "gzip", createGunzip],
  ["28b52ffd", "zstd", createZstdDecompress],
  ["fd377a585a00", "xz"],
  ["425a68", "bzip2"],
  ["04224d18", "lz4"],
  ["5d0000", "lzma"],
  ["4c5a4950", "lzip"],
  ["504b0304", "zip"],
];
const BLOCK = 512;
/** Where a tar says that it is one: its first file may be named as another format begins. */
const TAR = { at: 257, text: "ustar" };
/** Of zstd frames that are to be skipped; estargz's and zstd:chunked's tables of contents are in such. */
const SKIPPABLE_ZSTD = /^5[0-9a-f]2a4d18/;

/** Undefined for what is not compressed. @throws ImageError KATA_IMAGE_LAYER for a compression that is not known */
export async function decompressorOf(path: string | Buffer): Promise<Duplex | undefined> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(BLOCK), 0, BLOCK, 0);
  const start = buffer.toString("hex", 0, bytesRead);
  if (SKIPPABLE_ZSTD.test(start)) return createZstdDecompress();
  const [, name, make] = FORMATS.find(([magic]) => start.startsWith(magic)) ?? [];
  if (name === undefined) return undefined;
  if (make !== undefined) return make();
  if (buffer.toString("latin1", TAR.at, TAR.at + TAR.text.length) === TAR.text) return undefined;
  throw new ImageError("KATA_IMAGE_LAYER", `compression unknown: ${name}; gzip and zstd are known`);
}
