// `npm run generate`: what is written from the options of configuration.toml: the file itself, and the table about it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildPackages } from "./lib/build-all.ts";
import { ROOT } from "./lib/paths.ts";

await buildPackages();
// Compiled a moment ago: not there when this file was loaded.
const { exampleFile, optionsTable, withoutEffectTable } = await import("@kata-ts/runtime");
writeFileSync(join(ROOT, "packages", "runtime", "configuration.toml"), exampleFile());
const page = join(ROOT, "docs", "configuration.md");
const text = readFileSync(page, "utf8");
const tables = [optionsTable(), withoutEffectTable()];
writeFileSync(
  page,
  text.replace(/(?:^\|.*\n)+/gm, (table) => tables.shift() ?? table),
);
