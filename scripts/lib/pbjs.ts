import { stat } from "node:fs/promises";

/** How codecs are made of .proto files: static code, with the names that the files have. */
export const PBJS_FLAGS: readonly string[] = [
  ...["-t", "static-module", "-w", "esm", "--keep-case"],
  ...["--no-create", "--no-verify", "--no-convert", "--no-delimited", "--no-typeurl", "--no-service"],
];

/** For what is run, not read. */
export const PBJS_SMALL: readonly string[] = ["--no-comments", "--no-beautify"];

/** Whether an output is younger than all that it is made of. */
export async function isUpToDate(output: string, inputs: readonly string[]): Promise<boolean> {
  const made = await stat(output).catch(() => undefined);
  if (made === undefined) return false;
  const changed = await Promise.all(inputs.map(async (input) => (await stat(input)).mtimeMs));
  return changed.every((time) => time < made.mtimeMs);
}
