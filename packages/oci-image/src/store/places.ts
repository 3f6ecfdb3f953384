import { createHash } from "node:crypto";
import { join } from "node:path";

/** How the file of a whole name ends. */
export const REFERENCE = ".json";

/** Where a store keeps what. Blobs, workspaces and the names of registries are where `openImage` has them. */
export class Places {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** A directory for each unpacked image. */
  get trees(): string {
    return join(this.directory, "trees");
  }

  /** A file for each name that an image has here. */
  get references(): string {
    return join(this.directory, "references");
  }

  get locks(): string {
    return join(this.directory, "locks");
  }

  get blobs(): string {
    return join(this.directory, "blobs", "sha256");
  }

  /** What `openImage` remembers of registries. */
  get remembered(): string {
    return join(this.directory, "names");
  }

  tree(digest: string): string {
    return join(this.trees, digest.slice("sha256:".length));
  }

  reference(name: string): string {
    return join(this.references, `${hash(name)}${REFERENCE}`);
  }

  /** Held by the process that fetches an image of that name, or moves the name. */
  nameLock(name: string): string {
    return join(this.locks, `name-${hash(name)}`);
  }

  /** Held by the process that unpacks, removes or begins to use an image. */
  treeLock(digest: string): string {
    return join(this.locks, `tree-${digest.slice("sha256:".length)}`);
  }

  /** Shared by all processes that fetch; exclusive where blobs are removed. */
  get blobLock(): string {
    return join(this.locks, "blobs");
  }
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
