import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "./paths.ts";

interface Changeset {
  readonly id: string;
  readonly releases: readonly { readonly name: string }[];
}

/** Reads all changesets as a release does. @throws Error where one cannot be read, or names what is no package that is released */
export async function checkChangesets(): Promise<void> {
  // The part of changesets that reads them: its command asks git as well, which a source archive has not.
  const ofCommand = createRequire(createRequire(import.meta.url).resolve("@changesets/cli/package.json"));
  const module = pathToFileURL(ofCommand.resolve("@changesets/read")).href;
  const { readChangesets } = (await import(module)) as {
    readonly readChangesets: (root: string) => Promise<readonly Changeset[]>;
  };
  const packages = globSync("packages/*/package.json", { cwd: ROOT }).map(
    (path) =>
      JSON.parse(readFileSync(join(ROOT, path), "utf8")) as { readonly name: string; readonly private?: boolean },
  );
  // A release refuses a changeset that names a private package beside others.
  const released = new Set(packages.filter((each) => each.private !== true).map(({ name }) => name));
  const changesets = await readChangesets(ROOT);
  for (const { id, releases } of changesets) {
    const unknown = releases.filter(({ name }) => !released.has(name)).map(({ name }) => name);
    if (releases.length === 0 || unknown.length > 0) {
      throw new Error(`.changeset/${id}.md names what is not released: ${unknown.join(", ")}`);
    }
  }
}
