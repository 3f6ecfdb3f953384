import type { Archive } from "./archive/archive.ts";
import type { BuildRoot } from "./build-root/run.ts";
import type { Progress } from "./progress.ts";

/** What guests are made with. */
export interface ImageTools {
  readonly archive: Archive;
  /** The suite's programs that write images. */
  readonly root: BuildRoot;
  readonly cacheDir: string;
  readonly progress: Progress;
}
