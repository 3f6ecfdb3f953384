import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ImageLocation } from "@kata-ts/oci-image";
import { UsageError } from "../arguments/parse.ts";

/** Undefined for a root file system. What looks like a path is one; other names are a registry's. */
export function locate(
  from: string,
  { isPlain = false }: { readonly isPlain?: boolean } = {},
): ImageLocation | undefined {
  const whole = localImage(from);
  if (whole !== undefined) return "directory" in whole ? undefined : whole;
  // A tag may have colons of its own: the shortest file there is has the image.
  for (let colon = from.indexOf(":"); colon > 0; colon = from.indexOf(":", colon + 1)) {
    const [path, tag] = [from.slice(0, colon), from.slice(colon + 1)];
    const found = tag === "" ? undefined : localImage(path);
    if (found !== undefined && !("directory" in found)) return { ...found, tag };
  }
  if (/^\.{0,2}\//.test(from)) throw new UsageError(`there is no ${from}: it looks like a path, and is none`);
  return { registry: from, ...(isPlain && { insecure: true }) };
}

function localImage(path: string): { layout: string } | { archive: string } | { directory: string } | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true) return { archive: path };
  if (found?.isDirectory() !== true) return undefined;
  return existsSync(join(path, "oci-layout")) ? { layout: path } : { directory: path };
}
