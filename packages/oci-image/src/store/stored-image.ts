import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { digestSchema, type ImageConfig, imageConfigSchema } from "../documents.ts";
import type { BlobSize } from "../fetch-image.ts";

/** An image that is unpacked in a store. */
export interface StoredImage {
  /** Its manifest's. */
  readonly digest: string;
  /** What it is called here: `alpine:3.20`, or the path of an archive. An image whose name was given to another has none. */
  readonly names: readonly string[];
  readonly config: ImageConfig;
  /** Its root file system, which many containers may have: it is only read. */
  readonly rootfs: string;
  /** Bytes of its layers without compression. */
  readonly bytes: number;
  readonly blobs: readonly BlobSize[];
  /** When it was unpacked here. */
  readonly unpacked: Date;
}

const treeSchema = z.object({
  digest: digestSchema,
  config: imageConfigSchema,
  bytes: z.number().min(0),
  blobs: z.array(z.object({ digest: digestSchema, size: z.number().min(0) })),
  unpacked: z.iso.datetime(),
});

/** What lies beside an unpacked tree, and is written before the tree has its name. */
export interface TreeRecord {
  readonly digest: string;
  readonly config: ImageConfig;
  readonly bytes: number;
  readonly blobs: readonly BlobSize[];
  /** ISO 8601. */
  readonly unpacked: string;
}

export const RECORD = "image.json";
export const ROOTFS = "rootfs";

/** Undefined where there is no tree, or its record is damaged. */
export async function readTree(directory: string): Promise<TreeRecord | undefined> {
  try {
    return treeSchema.parse(JSON.parse(await readFile(join(directory, RECORD), "utf8")));
  } catch {
    return undefined;
  }
}
