import type { Progress } from "../progress.ts";
import { Archive, ArchiveError } from "./archive.ts";

/** Does something with the archive; once more with today's index where the mirror has newer versions than this one says. */
export async function withArchive<T>(
  cacheDir: string,
  progress: Progress,
  body: (archive: Archive) => Promise<T>,
): Promise<T> {
  const archive = await Archive.open(cacheDir, progress);
  try {
    return await body(archive);
  } catch (error) {
    if (!(error instanceof ArchiveError && error.outdated)) throw error;
    progress("guest: the archive has newer versions than its index here");
    return body(await Archive.refresh(cacheDir, progress));
  }
}
