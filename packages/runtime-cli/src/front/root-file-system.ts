import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Image, type ImageLocation, openImage } from "@kata-ts/oci-image";
import { UsageError } from "../arguments/parse.ts";
import { Interruption } from "../verbs/interruption.ts";
import { ProgressLine } from "./progress-line.ts";

/** Where to run, and the image that it is of. */
export interface RootFileSystem {
  readonly rootfs: string;
  readonly image: Image | undefined;
}

/** So many of an image's own complaints are shown. */
const SHOWN_WARNINGS = 5;

export interface Origin {
  /** As it was named. */
  readonly from: string;
  /** Undefined for a root file system. */
  readonly location: ImageLocation | undefined;
  /** Below which it is unpacked. */
  readonly bundle: string;
}

/** A directory as it is; anything else is unpacked below the bundle. @throws ImageError; a signal's name */
export async function rootFileSystem(
  { from, location, bundle }: Origin,
  warn: (message: string) => void,
): Promise<RootFileSystem> {
  if (location === undefined) return { rootfs: resolve(from), image: undefined };
  const rootfs = join(bundle, "rootfs");
  const warnings: string[] = [];
  const image = await unpack(from, location, rootfs, warnings);
  for (const message of warnings.slice(0, SHOWN_WARNINGS)) warn(message);
  if (warnings.length > SHOWN_WARNINGS) warn(`${String(warnings.length - SHOWN_WARNINGS)} more of the kind`);
  return { rootfs, image };
}

async function unpack(from: string, location: ImageLocation, rootfs: string, warnings: string[]): Promise<Image> {
  using interruption = new Interruption();
  using line = new ProgressLine();
  const image = await openImage(location, {
    signal: interruption.signal,
    warn: (message) => warnings.push(message),
    onProgress: ({ step, done, total }) => {
      line.show(from, `${step} ${total === 0 ? "100" : String(Math.floor((done * 100) / total))} %`);
    },
  });
  await image.unpack(rootfs);
  return image;
}

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
