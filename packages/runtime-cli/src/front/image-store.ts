import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ImageStore, type StoredImage } from "@kata-ts/oci-image";
import { bundlesDirectory, imagesDirectory } from "./data-directory.ts";
import { ownerOf } from "./leftovers.ts";

/** The images of this machine's `kata`. */
export function openStore(): Promise<ImageStore> {
  return ImageStore.open(imagesDirectory());
}

/** The container that has an image for its root file system; undefined where none has. */
export function userOf({ digest }: StoredImage): string | undefined {
  const name = names().find((each) => ownerOf(join(bundlesDirectory(), each))?.image?.digest === digest);
  return name === undefined ? undefined : `the container ${name}`;
}

function names(): string[] {
  try {
    return readdirSync(bundlesDirectory());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** As many digits of a digest as people are shown. */
export function shortId({ digest }: Pick<StoredImage, "digest">): string {
  return digest.slice("sha256:".length, "sha256:".length + 12);
}
