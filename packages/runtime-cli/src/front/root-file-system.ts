import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Image, type ImageLocation, openImage } from "@kata-ts/oci-image";
import { Interruption } from "../verbs/interruption.ts";
import { ProgressLine } from "./progress-line.ts";

/** Where to run, and the image that it is of. */
export interface RootFileSystem {
  readonly rootfs: string;
  readonly image: Image | undefined;
}

/** So many of an image's own complaints are shown. */
const SHOWN_WARNINGS = 5;

/** A directory as it is; anything else is unpacked below the bundle. @throws ImageError */
export async function rootFileSystem(
  from: string,
  bundle: string,
  warn: (message: string) => void,
): Promise<RootFileSystem> {
  const location = locate(from);
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
      line.show(`${step} ${from}: ${total === 0 ? "100" : String(Math.floor((done * 100) / total))} %`);
    },
  });
  await image.unpack(rootfs);
  return image;
}

/** Undefined for a root file system. What looks like a path is one; other names are a registry's. */
function locate(from: string): ImageLocation | undefined {
  const found = statSync(from, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return existsSync(join(from, "oci-layout")) ? { layout: from } : undefined;
  if (found?.isFile() === true) return { archive: from };
  const [, directory = "", tag = ""] = /^(.*):([^:/]+)$/.exec(from) ?? [];
  if (directory !== "" && existsSync(join(directory, "oci-layout"))) return { layout: directory, tag };
  return { registry: from };
}
