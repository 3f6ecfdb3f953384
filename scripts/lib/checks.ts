import { globSync } from "node:fs";
import { join } from "node:path";
import { apiReference } from "./api-reference.ts";
import { checkChangesets } from "./changesets.ts";
import { checkMutants } from "./check-mutants.ts";
import { buildGuestPackage, guestPackageIsBuilt } from "./guest-package.ts";
import { packAll } from "./pack.ts";
import { NODE_BINARY, ROOT } from "./paths.ts";
import { tool } from "./run.ts";
import { checkVersions } from "./versions.ts";

export interface Check {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Everything that is checked without running the code. */
export const CHECKS: readonly Check[] = [
  { name: "format and lint", run: () => tool("biome", ["check", "."]) },
  { name: "types", run: checkTypes },
  { name: "type-aware lint", run: () => tool("eslint", ["packages", "scripts", "e2e"]) },
  {
    name: "floors",
    run: () => tool("depcruise", ["--config", ".dependency-cruiser.cjs", "packages", "--output-type", "err"]),
  },
  { name: "unused code and dependencies", run: () => tool("knip", []) },
  { name: "file sizes", run: () => tool(NODE_BINARY, [join(ROOT, "scripts", "file-size.ts")]) },
  {
    name: "mutants",
    run: async () => {
      checkMutants();
    },
  },
  { name: "packages as published", run: checkPackages },
  { name: "changesets", run: checkChangesets },
  {
    name: "versions",
    run: async () => {
      checkVersions();
    },
  },
  { name: "API reference", run: () => apiReference() },
];

/** Sources and tests of every package; the build checks the sources alone. */
async function checkTypes(): Promise<void> {
  const projects = [
    ...globSync("packages/*/tsconfig.json", { cwd: ROOT }),
    "scripts/tsconfig.json",
    "e2e/tsconfig.json",
  ];
  for (const project of projects.sort()) await tool("tsc", ["-p", project]);
}

/** What npm would get: entry points, files and types as a consumer's tools resolve them. */
async function checkPackages(): Promise<void> {
  if (!guestPackageIsBuilt()) await buildGuestPackage();
  for (const tarball of await packAll(join(ROOT, "node_modules", ".cache", "packages"))) {
    await tool("publint", ["run", tarball, "--strict"]);
    // ESM only: CommonJS gets it by require, which Node can from 22.12 on.
    await tool("attw", [tarball, "--profile", "esm-only", "--format", "ascii", "--quiet"]);
  }
}
