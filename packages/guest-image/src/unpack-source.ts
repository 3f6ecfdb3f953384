import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { SourceFiles } from "./archive/archive.ts";
import { type BuildRoot, WORK } from "./build-root/run.ts";

/** Unpacks a source package, with Debian's patches where it has some, into `source` below the work directory. */
export async function unpackSource({ file, patched }: SourceFiles, root: BuildRoot, work: string): Promise<void> {
  const source = `${WORK}/source`;
  if (patched) {
    await root.run(work, ["dpkg-source", "--no-check", "-x", file, source]);
    return;
  }
  await mkdir(join(work, "source"));
  await root.run(work, ["tar", "-xf", file, "-C", source, "--strip-components=1"]);
}
