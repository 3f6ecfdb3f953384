import { resolve } from "node:path";
import {
  fits,
  ImageError,
  type ImageLocation,
  type ImageStore,
  ownPlatform,
  type Platform,
  type StoredImage,
} from "@kata-ts/oci-image";
import type { FrontBundle } from "./bundle.ts";
import { openStore } from "./image-store.ts";
import { makeRootfs } from "./overlay.ts";
import { pullImage } from "./pull-image.ts";

/** Where to run, and the image that it is of. */
export interface RootFileSystem {
  readonly rootfs: string;
  readonly image: StoredImage | undefined;
}

/** When a registry is asked for an image that has a name here: Docker's words. */
export type PullPolicy = "always" | "missing" | "never";

export interface Origin {
  /** As it was named. */
  readonly from: string;
  /** Undefined for a root file system. */
  readonly location: ImageLocation | undefined;
  readonly bundle: FrontBundle;
  readonly policy: PullPolicy;
  readonly platform: Platform | undefined;
  readonly signal: AbortSignal;
}

/** A directory as it is; of an image the bundle gets a root file system of its own. @throws ImageError; a signal's name */
export async function rootFileSystem(origin: Origin, warn: (message: string) => void): Promise<RootFileSystem> {
  const { from, location, bundle, signal } = origin;
  if (location === undefined) return { rootfs: resolve(from), image: undefined };
  const store = await openStore();
  const image = await imageOf(store, { ...origin, location }, warn);
  using _held = await store.hold(image.digest, { signal });
  bundle.use({ digest: image.digest, name: from });
  return { rootfs: await makeRootfs(image.rootfs, bundle.path, { signal, warn }), image };
}

async function imageOf(
  store: ImageStore,
  origin: Origin & { readonly location: ImageLocation },
  warn: (message: string) => void,
): Promise<StoredImage> {
  const { from, location, policy, platform = ownPlatform() } = origin;
  // What an archive or a layout has is known when it is read.
  const isAsked = policy === "always" || (policy === "missing" && !("registry" in location));
  const known = isAsked ? undefined : await store.find(from);
  if (known !== undefined && isFor(known, platform)) return known;
  if (policy !== "never") return await pullImage(store, { ...origin, warn });
  throw new ImageError("KATA_IMAGE_NOT_FOUND", `there is no image ${from} here, and --pull never fetches none`);
}

function isFor({ config }: StoredImage, wanted: Platform): boolean {
  return fits(config, wanted) && (wanted.variant === undefined || wanted.variant === config.variant);
}
