import { rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { directImports } from "./direct-imports.ts";
import { writeLauncher } from "./launcher.ts";
import { packageDir } from "./paths.ts";
import { packagesOf } from "./sbom.ts";

/**
 * Puts `kata` into a tree whose libexec has Node: a bundle, split so that a call loads only what it needs, and its launcher.
 *
 * @returns the directories of the npm packages that are in it
 */
export async function bundleCommand(tree: string, define: Readonly<Record<string, string>>): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: { kata: join(packageDir("runtime-cli"), "dist", "kata.js") },
    outdir: join(tree, "libexec", "kata-ts"),
    outExtension: { ".js": ".mjs" },
    chunkNames: "kata-[hash]",
    splitting: true,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node26",
    external: ["koffi"],
    plugins: [directImports],
    define: { ...define },
    logLevel: "warning",
    metafile: true,
  });
  const launcher = join(tree, "bin", "kata");
  await rm(launcher, { force: true });
  await writeLauncher(launcher);
  return packagesOf(metafile);
}
