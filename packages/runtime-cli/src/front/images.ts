import { escapeControls } from "@kata-ts/linux";
import type { StoredImage } from "@kata-ts/oci-image";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { formatTable } from "../output/table.ts";
import { openStore, shortId, userOf } from "./image-store.ts";
import { ageOf, sizeText } from "./quantities.ts";

export const manual: Manual = {
  operands: "",
  options: {
    quiet: { type: "boolean", short: "q", about: "digests only" },
    format: { type: "string", short: "f", value: "FORMAT", about: "table, json, or name: names only" },
  },
  notes: ["The size is that of the unpacked root file system, which all its containers share."],
};

const HEADER = ["NAME", "ID", "UNPACKED", "SIZE", "USED BY"];
/** An image whose name was given to another. */
const NAMELESS = "<none>";

export const verb: Verb = async (args) => {
  const { options, words } = parseAnywhere(args, manual.options);
  if (words.length > 0) throw new UsageError(`"images" takes no arguments: ${words.join(" ")}`);
  const format = options.text("format") ?? "table";
  if (format !== "table" && format !== "json" && format !== "name") {
    throw new UsageError(`--format takes table, json or name, not "${format}"`);
  }
  const images = await (await openStore()).list();
  if (options.flag("quiet")) print(images.map(({ digest }) => `${digest}\n`).join(""));
  else if (format === "name") print(images.flatMap(({ names }) => names.map((name) => `${name}\n`)).join(""));
  else if (format === "json") print(`${JSON.stringify(images.map(view))}\n`);
  else print(formatTable([HEADER, ...images.flatMap(rows)]));
  return 0;
};

function view(image: StoredImage): object {
  const { digest, names, config, bytes, unpacked } = image;
  const { os, architecture } = config;
  return { digest, names, os, architecture, bytes, unpacked: unpacked.toISOString(), usedBy: userOf(image) ?? null };
}

/** One for each name. */
function rows(image: StoredImage): string[][] {
  const names = image.names.length === 0 ? [NAMELESS] : image.names;
  const others = [shortId(image), ageOf(image.unpacked), sizeText(image.bytes), userOf(image) ?? ""];
  return names.map((name) => [escapeControls(name), ...others]);
}
