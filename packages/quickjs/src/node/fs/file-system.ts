import { Buffer } from "../buffer.ts";
import { succeed, tryLibc } from "../libc.ts";
import { type PathArgument, pathOf, pathText } from "./path-argument.ts";

/** Of struct statfs on 64-bit machines: each a word, one after the other. */
const FIELDS = ["type", "bsize", "blocks", "bfree", "bavail", "files", "ffree"] as const;
const STATFS_BYTES = 120;

export type StatsFs = Record<(typeof FIELDS)[number], number>;

/** The file system that a path is on. */
export function statfsSync(path: PathArgument): StatsFs {
  const raw = Buffer.alloc(STATFS_BYTES);
  succeed(tryLibc("statfs", pathOf(path), raw), "statfs", { path: pathText(path) });
  return Object.fromEntries(FIELDS.map((name, index) => [name, Number(raw.readBigUInt64LE(8 * index))])) as StatsFs;
}
