// `npm run release`: dist/kata-ts as one archive, which a machine without npm, compiler or apt unpacks and runs.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { buildTree } from "./lib/build-all.ts";
import { DIST, ROOT } from "./lib/paths.ts";

/** Node's compiled code: it is kept by the paths of the files, and `install` makes it for its own. */
const LEFT_OUT = join("libexec", "kata-ts", "cache");

await buildTree("tuned");
const naming = filesOf(DIST).filter((file) => readFileSync(file).includes(`${ROOT}/`));
if (naming.length > 0) {
  const names = naming.map((file) => relative(DIST, file)).join(", ");
  throw new Error(`a release must not name the directory that it was built in, and these files do: ${names}`);
}
const archive = join(ROOT, "dist", "kata-ts.tar.gz");
execFileSync("tar", [
  ...["--create", "--gzip", "--file", archive, "--sparse", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"],
  ...[`--exclude=${join(basename(DIST), LEFT_OUT)}`, "-C", join(ROOT, "dist"), basename(DIST)],
]);
process.stdout.write(`${archive}: ${String(Math.ceil(statSync(archive).size / 1024 ** 2))} MiB\n`);

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.startsWith(join(DIST, LEFT_OUT)));
}
