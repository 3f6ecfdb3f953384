import { cp, mkdir, realpath, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { packageDir } from "./paths.ts";

/** Sources and documentation, and what is for another C library than the Node that comes along. */
const UNUSED = [
  ...["doc", "vendor", "lib", "src/koffi/src", "CHANGELOG.md", "README.md"].map((name) => join("koffi", name)),
  join("@koromix", "koffi-linux-x64", "musl_x64"),
];

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
    await cp(from, to, { recursive: true, dereference: true });
  }
  for (const unused of UNUSED) await rm(join(nodeModules, unused), { recursive: true, force: true });
  return [koffi, native];
}
