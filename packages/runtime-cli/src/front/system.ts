import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { formatTable } from "../output/table.ts";
import { bundlesDirectory, imagesDirectory } from "./data-directory.ts";
import { diskUsage } from "./disk-usage.ts";
import { openStore, userOf } from "./image-store.ts";
import { CHANGES } from "./overlay.ts";
import { verb as prune, manual as pruneManual } from "./prune.ts";
import { sizeText } from "./quantities.ts";
import { dataOf, listVolumes, volumeUser } from "./volumes.ts";

export const manual: Manual = {
  operands: "df|prune",
  options: { ...pruneManual.options, format: { type: "string", value: "FORMAT", about: "of df: table or json" } },
  notes: ["df: what images, containers and volumes take of the disk. prune is kata prune."],
  examples: ["system df", "system prune --force"],
};

const HEADER = ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"];

interface Usage {
  readonly type: string;
  readonly total: number;
  /** In use by a container. */
  readonly active: number;
  /** Bytes. */
  readonly size: number;
  readonly reclaimable: number;
}

export const verb: Verb = async (args, context) => {
  const [what, ...rest] = args;
  if (what === "prune") return prune(rest, context);
  if (what !== "df") throw new UsageError('"system" requires df or prune');
  const { options, words } = parseAnywhere(rest, { format: manual.options.format ?? { type: "string", about: "" } });
  const format = options.text("format") ?? "table";
  if (words.length > 0) throw new UsageError(`"system df" takes no arguments: ${words.join(" ")}`);
  if (format !== "table" && format !== "json") throw new UsageError(`--format takes table or json, not "${format}"`);
  const all = [await ofImages(), await ofDownloads(), await ofContainers(), await ofVolumes()];
  print(format === "json" ? `${JSON.stringify(all)}\n` : formatTable([HEADER, ...all.map(row)]));
  return 0;
};

/** Unpacked. */
async function ofImages(): Promise<Usage> {
  const images = await (await openStore()).list();
  const sizes = await Promise.all(
    images.map(async (image) => ({ isUsed: userOf(image) !== undefined, bytes: await diskUsage(image.rootfs) })),
  );
  return usageOf("images", sizes);
}

/** The blobs that they came as: they go with their images. */
async function ofDownloads(): Promise<Usage> {
  const blobs = join(imagesDirectory(), "blobs");
  const kept = new Set((await (await openStore()).list()).flatMap((image) => image.blobs.map(({ digest }) => digest)));
  const directory = join(blobs, "sha256");
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const sizes = await Promise.all(
    names.map(async (name) => ({ isUsed: kept.has(`sha256:${name}`), bytes: await diskUsage(join(directory, name)) })),
  );
  return usageOf("downloads", sizes);
}

/** What they have changed, and their output. All of them are needed until kata rm. */
async function ofContainers(): Promise<Usage> {
  const directory = bundlesDirectory();
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const sizes = await Promise.all(
    names.map(async (name) => {
      const files = readdirSync(join(directory, name)).filter(
        (file) => file === CHANGES || file.startsWith("output.log"),
      );
      const bytes = await Promise.all(files.map((file) => diskUsage(join(directory, name, file))));
      return { isUsed: true, bytes: bytes.reduce((sum, each) => sum + each, 0) };
    }),
  );
  return usageOf("containers", sizes);
}

async function ofVolumes(): Promise<Usage> {
  const sizes = await Promise.all(
    listVolumes().map(async (name) => ({
      isUsed: volumeUser(name) !== undefined,
      bytes: await diskUsage(dataOf(name)),
    })),
  );
  return usageOf("volumes", sizes);
}

function usageOf(type: string, sizes: readonly { readonly isUsed: boolean; readonly bytes: number }[]): Usage {
  const sum = (some: typeof sizes): number => some.reduce((total, { bytes }) => total + bytes, 0);
  const used = sizes.filter(({ isUsed }) => isUsed);
  const size = sum(sizes);
  return { type, total: sizes.length, active: used.length, size, reclaimable: size - sum(used) };
}

function row({ type, total, active, size, reclaimable }: Usage): string[] {
  return [type, String(total), String(active), sizeText(size), sizeText(reclaimable)];
}
