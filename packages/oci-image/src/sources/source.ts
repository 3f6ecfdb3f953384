import type { Readable } from "node:stream";
import type { Descriptor } from "../documents.ts";

/** Where an image is. */
export interface ImageSource {
  /** For messages. */
  readonly name: string;
  /** The image's manifest, or an index with one for each platform; as bytes they are what the digest is of. */
  root(): Promise<Descriptor>;
  blob(descriptor: Descriptor): Promise<Readable>;
}
