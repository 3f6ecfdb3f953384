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

/** A directory as it is; anything else is unpacked below the bundle. @throws ImageError */
export async function rootFileSystem(from: string, bundle: string): Promise<RootFileSystem> {
  const location = locate(from);
  if (location === undefined) return { rootfs: resolve(from), image: undefined };
  using interruption = new Interruption();
  using line = new ProgressLine();
  const image = await openImage(location, {
    signal: interruption.signal,
    onProgress: ({ step, done, total }) => {
      line.show(`${step} ${from}: ${total === 0 ? "100" : String(Math.floor((done * 100) / total))} %`);
    },
  });
  const rootfs = join(bundle, "rootfs");
  await image.unpack(rootfs);
  return { rootfs, image };
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
