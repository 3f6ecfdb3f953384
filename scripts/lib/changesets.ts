import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "./paths.ts";

interface Changeset {
  readonly id: string;
  readonly releases: readonly { readonly name: string }[];
}

/** Reads all changesets as a release does. @throws Error where one cannot be read, or names what is no package */
export async function checkChangesets(): Promise<void> {
  // The part of changesets that reads them: its command asks git as well, which a source archive has not.
  const ofCommand = createRequire(createRequire(import.meta.url).resolve("@changesets/cli/package.json"));
  const module = pathToFileURL(ofCommand.resolve("@changesets/read")).href;
  const { readChangesets } = (await import(module)) as {
    readonly readChangesets: (root: string) => Promise<readonly Changeset[]>;
  };
  const packages = new Set(
    globSync("packages/*/package.json", { cwd: ROOT }).map(
      (path) => (JSON.parse(readFileSync(join(ROOT, path), "utf8")) as { readonly name: string }).name,
    ),
  );
  const changesets = await readChangesets(ROOT);
  if (changesets.length === 0) throw new Error("there are no changesets");
  for (const { id, releases } of changesets) {
    const unknown = releases.filter(({ name }) => !packages.has(name)).map(({ name }) => name);
    if (releases.length === 0 || unknown.length > 0) {
      throw new Error(`.changeset/${id}.md releases no such package: ${unknown.join(", ")}`);
    }
  }
}
