import type { ImageLocation, ImageStore, Platform, StoredImage } from "@kata-ts/oci-image";
import { ProgressLine } from "./progress-line.ts";

/** So many of an image's own complaints are shown. */
const SHOWN_WARNINGS = 5;

export interface PullRequest {
  /** As it was named. */
  readonly from: string;
  readonly location: ImageLocation;
  /** This machine's by default. */
  readonly platform: Platform | undefined;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/** Brings an image into the store, and shows on a terminal how far it is. @throws ImageError; a signal's name */
export async function pullImage(store: ImageStore, request: PullRequest): Promise<StoredImage> {
  const { from, location, platform, signal, warn } = request;
  const warnings: string[] = [];
  try {
    using line = new ProgressLine();
    return await store.pull(location, {
      signal,
      ...(platform !== undefined && { platform }),
      warn: (message) => warnings.push(message),
      onWait: () => {
        line.show(from, "waiting for another kata that fetches it");
      },
      onProgress: ({ step, done, total }) => {
        line.show(from, `${step} ${total === 0 ? "100" : String(Math.floor((done * 100) / total))} %`);
      },
    });
  } finally {
    for (const message of warnings.slice(0, SHOWN_WARNINGS)) warn(message);
    if (warnings.length > SHOWN_WARNINGS) warn(`${String(warnings.length - SHOWN_WARNINGS)} more of the kind`);
  }
}
