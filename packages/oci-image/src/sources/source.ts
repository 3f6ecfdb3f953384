import type { Readable } from "node:stream";
import type { Descriptor } from "../documents.ts";

/** Where an image is. */
export interface ImageSource {
  /** For messages. */
  readonly name: string;
  /**
   * The image's manifest, or an index with one for each platform; several where it is there for several platforms without
   * an index. As bytes they are what the digest is of.
   */
  roots(): Promise<readonly Descriptor[]>;
  blob(descriptor: Descriptor): Promise<Readable>;
  /** Where the blob lies as a file of our own, which the cache may move away; undefined where it does not. */
  ownFile?(descriptor: Descriptor): Promise<Buffer | undefined>;
}
