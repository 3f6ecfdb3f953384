import { readdirSync } from "node:fs";
import { join } from "node:path";

const LIBEXEC = join("libexec", "kata-ts");

/** What `kata` and its Node are in an installed tree, as paths in it. Engines and kata-runtime need none of it. */
export function commandParts(tree: string): string[] {
  const isOfCommand = (name: string): boolean =>
    name.endsWith(".mjs") || ["node", "node_modules", "libatomic.so.1"].includes(name);
  const found = readdirSync(join(tree, LIBEXEC)).filter(isOfCommand).sort();
  return [join("bin", "kata"), ...found.map((name) => join(LIBEXEC, name))];
}
