import { machine } from "node:os";
import type { Descriptor, Platform } from "./documents.ts";
import { ImageError } from "./errors.ts";

/** What others than Go call it, too. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  ...{ x86_64: "amd64", "x86-64": "amd64", aarch64: "arm64", i386: "386", i686: "386", armhf: "arm", armel: "arm" },
};
/** What an architecture is without a word about its variant. */
const PLAIN: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8", arm: "v7" };

export function ownPlatform(): Platform {
  return { os: "linux", architecture: architectureOf(machine()) };
}

/** Whether something may run there. What says nothing of itself may, as with Docker. */
export function fits(theirs: Platform, wanted: Platform): boolean {
  return (
    (theirs.os === "" || theirs.os === wanted.os) &&
    (theirs.architecture === "" || architectureOf(theirs.architecture) === architectureOf(wanted.architecture))
  );
}

/**
 * The manifest for a platform: of the variant that was asked for, else the plainest, which any machine of the kind can
 * run. Undefined where there is none.
 */
export function bestFor(wanted: Platform, manifests: readonly Descriptor[]): Descriptor | undefined {
  const fitting = manifests.filter(({ platform }) => platform !== undefined && fits(platform, wanted));
  const asked = fitting.find(({ platform }) => wanted.variant !== undefined && platform?.variant === wanted.variant);
  return asked ?? fitting.sort((a, b) => rank(a.platform) - rank(b.platform))[0];
}

/** `linux/arm64`, `linux/arm/v7`, or the architecture alone, in Go's names or in uname's. @throws ImageError */
export function parsePlatform(text: string): Platform {
  const parts = text.split("/");
  const [os = "", architecture = "", variant] = parts.length === 1 ? ["linux", text] : parts;
  if (parts.length > 3 || parts.some((part) => !/^[\w.-]+$/.test(part))) {
    throw new ImageError("KATA_IMAGE_PLATFORM", `${JSON.stringify(text)} is no platform, such as linux/arm64`);
  }
  return { os, architecture: architectureOf(architecture), ...(variant !== undefined && { variant }) };
}

export function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined || variant === "" ? [] : [variant])].join("/");
}

function architectureOf(name: string): string {
  return ARCHITECTURES[name] ?? name;
}

/** 0 for the plain one, then by what a variant asks of a machine. */
function rank(platform: Platform | undefined): number {
  const { architecture = "", variant = "" } = platform ?? {};
  if (variant === "" || variant === PLAIN[architectureOf(architecture)]) return 0;
  return Number(/^v(\d{1,3})/.exec(variant)?.[1] ?? 1000);
}
