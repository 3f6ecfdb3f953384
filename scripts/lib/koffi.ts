import { cp, mkdir, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { packageDir } from "./paths.ts";

/** What runs, and its licence: beside it koffi has sources and documentation, and a native part for another C library than Node's. */
const NEEDED = /\.(?:js|cjs|json|node|txt)$/;
const UNUSED = /\/(?:doc|vendor|lib|musl_x64)(?:\/|$)/;

/**
 * Copies koffi and its native part for linux-x64 into a node_modules folder. It cannot be bundled.
 *
 * @returns where both were copied from
 */
export async function copyKoffi(nodeModules: string): Promise<string[]> {
  const koffi = await realpath(join(packageDir("linux"), "node_modules", "koffi"));
  const native = await realpath(join(dirname(koffi), "@koromix", "koffi-linux-x64"));
  for (const [from, name] of [
    [koffi, "koffi"],
    [native, "@koromix/koffi-linux-x64"],
  ] as const) {
    const to = join(nodeModules, name);
    await mkdir(dirname(to), { recursive: true });
    const isWanted = async (path: string): Promise<boolean> =>
      !UNUSED.test(path.slice(from.length)) && (NEEDED.test(path) || (await stat(path)).isDirectory());
    await cp(from, to, { recursive: true, dereference: true, filter: isWanted });
  }
  return [koffi, native];
}
