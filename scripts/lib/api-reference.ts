import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publishedPackages } from "./pack.ts";
import { ROOT } from "./paths.ts";
import { tool } from "./run.ts";

/** Not: types that are only seen through others, and what the generator of the codecs writes. */
const VALIDATION = { notExported: false, invalidLink: false };

/** Every package's entry points, by typedoc; a warning is an error. @param out where it is written; only checked without */
export async function apiReference(out?: string): Promise<void> {
  const options = {
    name: "kata-ts",
    entryPointStrategy: "packages",
    // A package of files alone has none.
    entryPoints: publishedPackages().flatMap(({ directory }) =>
      existsSync(join(directory, "src", "index.ts")) ? [directory] : [],
    ),
    packageOptions: {
      entryPoints: ["src/index.ts"],
      tsconfig: "tsconfig.build.json",
      readme: "none",
      disableSources: true,
      validation: VALIDATION,
    },
    readme: "none",
    treatWarningsAsErrors: true,
    validation: VALIDATION,
    logLevel: "Warn",
    ...(out === undefined ? { emit: "none" } : { out }),
  };
  const file = join(ROOT, "node_modules", ".cache", "typedoc.json");
  writeFileSync(file, JSON.stringify(options));
  await tool("typedoc", ["--options", file]);
}
