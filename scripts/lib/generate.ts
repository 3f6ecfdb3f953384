import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codecGroups, type Descriptor } from "./codec-groups.ts";
import { packageDir, ROOT } from "./paths.ts";
import { isUpToDate, PBJS_FLAGS, PBJS_SMALL } from "./pbjs.ts";
import { tool } from "./run.ts";

const ENTRIES = ["agent.proto", "health.proto", "katats.proto", "ttrpc.proto"];
const PROTOS = [...ENTRIES, "oci.proto", "types.proto"];

/**
 * Static codecs from the .proto files: of all messages in `agent.js`, whose types are the packages', and of each group of
 * RPCs in a module of its own. Skipped when up to date.
 */
export async function generateProtocol(): Promise<void> {
  const dir = packageDir("agent-protocol");
  const sources = [
    ...PROTOS.map((name) => join(dir, "proto", name)),
    ...["generate.ts", "codec-groups.ts", "pbjs.ts"].map((name) => join(ROOT, "scripts", "lib", name)),
  ];
  const out = join(dir, "gen", "agent.js");
  if (await isUpToDate(out, sources)) return;
  await mkdir(join(dir, "gen"), { recursive: true });
  const temporary = await mkdtemp(join(dir, "gen", "tmp-"));
  const input = ["-p", join(dir, "proto"), ...ENTRIES.map((name) => join(dir, "proto", name))];
  await tool("pbjs", [...PBJS_FLAGS, "-d", "-o", join(temporary, "typed.js"), ...input]);
  await copyFile(join(temporary, "typed.d.ts"), join(dir, "gen", "agent.d.ts"));
  await tool("pbjs", ["-t", "json", "--keep-case", "-o", join(temporary, "all.json"), ...input]);
  const all = JSON.parse(await readFile(join(temporary, "all.json"), "utf8")) as Descriptor;
  for (const { name, messages, descriptor } of codecGroups(all)) {
    const json = join(temporary, `${name}.json`);
    await writeFile(json, JSON.stringify(descriptor));
    // A root of its own: the modules share what is in a root by its names, and each has only some of them.
    await tool("pbjs", [...PBJS_FLAGS, ...PBJS_SMALL, "-r", name, "-o", join(dir, "gen", `${name}.js`), json]);
    await writeFile(join(dir, "gen", `${name}.d.ts`), typesOf(messages));
  }
  await tool("pbjs", [...PBJS_FLAGS, ...PBJS_SMALL, "-o", join(temporary, "small.js"), ...input]);
  await writeFile(out, await readFile(join(temporary, "small.js")));
  await rm(temporary, { recursive: true });
}

/** What a group's module exports, by the types of all. */
function typesOf(messages: readonly string[]): string {
  const roots = [...new Set(messages.map((name) => name.split(".")[0] ?? ""))];
  const imports = roots.map((name) => `${name} as all_${name}`).join(", ");
  const exports = roots.map((root) => `export declare const ${root}: ${typeOf([root], messages)};`);
  return `import type { ${imports} } from "./agent.js";\n${exports.join("\n")}\n`;
}

/** The type of a namespace with some of its messages. */
function typeOf(path: readonly string[], messages: readonly string[]): string {
  const prefix = `${path.join(".")}.`;
  const names = [
    ...new Set(
      messages.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length).split(".")[0]),
    ),
  ];
  const members = names.map((name = "") => {
    const full = [...path, name];
    return `readonly ${name}: ${messages.includes(full.join(".")) ? `typeof all_${full.join(".")}` : typeOf(full, messages)};`;
  });
  return `{ ${members.join(" ")} }`;
}

/** TypeScript, all packages. */
export async function compile(): Promise<void> {
  await tool("tsc", ["-b", join(ROOT, "tsconfig.json")]);
}
