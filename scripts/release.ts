// `npm run release`: dist/kata-ts as archives, which a machine without npm, compiler or apt unpacks and runs. kata-ts.tar.gz has what
// engines and kata-runtime need; kata-ts-command.tar.gz, unpacked over it, adds `kata` and the Node that it runs on.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { buildTree } from "./lib/build-all.ts";
import { DIST, ROOT } from "./lib/paths.ts";
import { commandParts } from "./lib/release-parts.ts";

await buildTree("tuned");
const naming = filesOf(DIST).filter((file) => readFileSync(file).includes(`${ROOT}/`));
if (naming.length > 0) {
  const names = naming.map((file) => relative(DIST, file)).join(", ");
  throw new Error(`a release must not name the directory that it was built in, and these files do: ${names}`);
}
const command = commandParts(DIST).map((part) => join(basename(DIST), part));
pack("kata-ts.tar.gz", [...command.map((part) => `--exclude=${part}`), basename(DIST)]);
pack("kata-ts-command.tar.gz", command);

/** @param members with the options that choose among them */
function pack(name: string, members: readonly string[]): void {
  const archive = join(ROOT, "dist", name);
  execFileSync("tar", [
    ...["--create", "--gzip", "--file", archive, "--sparse", "--sort=name"],
    ...["--owner=0", "--group=0", "--numeric-owner", "--anchored", "-C", join(ROOT, "dist"), ...members],
  ]);
  process.stdout.write(`${archive}: ${String(Math.ceil(statSync(archive).size / 1024 ** 2))} MiB\n`);
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
