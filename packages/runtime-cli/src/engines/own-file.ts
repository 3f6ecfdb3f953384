import { rmSync } from "node:fs";
import { leftAsItIs, readConfiguration, replaceConfiguration } from "./configuration-file.ts";

/** podman and CRI-O read a directory of files, in which one is ours. */
const HEAD = "# Written by kata-runtime kata-engine; --remove takes this file away.\n";

export function podmanSnippet(runtime: string): string {
  return `[engine.runtimes]\nkata = [${JSON.stringify(runtime)}]\n`;
}

export function crioSnippet(runtime: string): string {
  return `[crio.runtime.runtimes.kata]
runtime_path = ${JSON.stringify(runtime)}
runtime_type = "oci"
privileged_without_host_devices = true
`;
}

/** @throws KataError KATA_CONFIG for a file of another's, which is left as it is */
export async function writeOwnFile(file: string, snippet: string): Promise<void> {
  checkOwner(file, snippet);
  await replaceConfiguration(file, `${HEAD}${snippet}`);
}

/** @returns whether it was there */
export function removeOwnFile(file: string, snippet: string): boolean {
  if (readConfiguration(file) === undefined) return false;
  checkOwner(file, snippet);
  rmSync(file);
  return true;
}

/** Ours begin with our line; those of earlier releases hold nothing but the snippet. */
function checkOwner(file: string, snippet: string): void {
  const found = readConfiguration(file);
  if (found === undefined || found.startsWith(HEAD)) return;
  const [firstLine = ""] = snippet.split("\n");
  if (found.startsWith(firstLine)) return;
  throw leftAsItIs(file, "this command has not written it", { hint: "name another file with --file" });
}
