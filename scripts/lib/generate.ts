import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageDir, ROOT } from "./paths.ts";
import { tool } from "./run.ts";

const FLAGS = [
  ...["-t", "static-module", "-w", "esm", "--keep-case"],
  ...["--no-create", "--no-verify", "--no-convert", "--no-delimited", "--no-typeurl", "--no-service"],
];
const ENTRIES = ["agent.proto", "health.proto", "katats.proto", "ttrpc.proto"];
const PROTOS = [...ENTRIES, "oci.proto", "types.proto"];

/** Static codecs from the .proto files: types from one run, small code from another. Skipped when up to date. */
export async function generateProtocol(): Promise<void> {
  const dir = packageDir("agent-protocol");
  const out = join(dir, "gen", "agent.js");
  if (
    await isUpToDate(
      out,
      PROTOS.map((name) => join(dir, "proto", name)),
    )
  )
    return;
  await mkdir(join(dir, "gen"), { recursive: true });
  const temporary = await mkdtemp(join(dir, "gen", "tmp-"));
  const proto = ENTRIES.map((name) => join(dir, "proto", name));
  await tool("pbjs", [...FLAGS, "-d", "-p", join(dir, "proto"), "-o", join(temporary, "typed.js"), ...proto]);
  await copyFile(join(temporary, "typed.d.ts"), join(dir, "gen", "agent.d.ts"));
  const small = ["--no-comments", "--no-beautify"];
  await tool("pbjs", [...FLAGS, ...small, "-p", join(dir, "proto"), "-o", join(temporary, "small.js"), ...proto]);
  await writeFile(out, await readFile(join(temporary, "small.js")));
  await rm(temporary, { recursive: true });
}

async function isUpToDate(output: string, inputs: readonly string[]): Promise<boolean> {
  const made = await stat(output).catch(() => undefined);
  if (made === undefined) return false;
  const changed = await Promise.all(inputs.map(async (input) => (await stat(input)).mtimeMs));
  return changed.every((time) => time < made.mtimeMs);
}

/** TypeScript, all packages. */
export async function compile(): Promise<void> {
  await tool("tsc", ["-b", join(ROOT, "tsconfig.json")]);
}
