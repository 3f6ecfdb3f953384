import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { builtins } from "./builtins.ts";
import { directImports } from "./direct-imports.ts";
import { packageDir } from "./paths.ts";
import { packagesOf } from "./sbom.ts";

/** For CommonJS inside an ES module bundle, which is grpc-js. */
const REQUIRE =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);\n';

/**
 * Bundles programs of a package for Node. They share code, split so that a verb of kata-runtime, or a shim, loads only what it needs.
 *
 * @returns the directories of the npm packages that are in them
 */
export async function bundleForNode(
  packageName: string,
  programs: Readonly<Record<string, string>>,
  libexec: string,
  define: Readonly<Record<string, string>>,
): Promise<string[]> {
  const { outputFiles, metafile } = await build({
    entryPoints: Object.fromEntries(
      Object.entries(programs).map(([program, file]) => [program, join(packageDir(packageName), "dist", file)]),
    ),
    outdir: libexec,
    outExtension: { ".js": ".mjs" },
    chunkNames: `${packageName}-[hash]`,
    splitting: packageName !== "proxy",
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node26",
    external: ["koffi"],
    plugins: [directImports, builtins],
    define: { ...define },
    logLevel: "warning",
    metafile: true,
    write: false,
  });
  for (const { path, text } of outputFiles) {
    await writeFile(path, text.includes("typeof require") ? REQUIRE + text : text);
  }
  return packagesOf(metafile);
}
