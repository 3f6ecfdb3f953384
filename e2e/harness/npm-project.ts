import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { runCommand } from "./command.ts";
import type { NpmRegistry } from "./npm-registry.ts";

const QUIETLY = ["--no-audit", "--no-fund", "--loglevel", "error"];

/** Where npm finds this project's packages, in a directory that exists: all others are the usual registry's. */
export function findPackages(cwd: string, { url }: NpmRegistry): void {
  writeFileSync(join(cwd, ".npmrc"), `@kata-ts:registry=${url}\n`);
}

/** An empty directory, but for that. */
export function makeProject(cwd: string, registry: NpmRegistry): void {
  mkdirSync(cwd);
  findPackages(cwd, registry);
}

/** What its package.json names, or these packages, too. */
export async function install(cwd: string, ...packages: readonly string[]): Promise<void> {
  const installed = await runCommand("npm", ["install", ...QUIETLY, ...packages], { cwd });
  expect(installed, installed.stderr).toMatchObject({ exitCode: 0 });
}
