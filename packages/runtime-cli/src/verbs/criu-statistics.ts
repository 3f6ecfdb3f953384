import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { reasonOf } from "@kata-ts/virtcontainers/records";
import type { Options } from "../arguments/parse.ts";
import type { Context } from "../context.ts";

const SERVICE_IMAGE = 0x55105940;
const STATISTICS_IMAGE = 0x57093306;
const HEADER_BYTES = 12;
const MOST_MICROSECONDS = 2 ** 32 - 1;

interface Statistics {
  /** In the directory of --work-path. */
  readonly file: string;
  /** The field of CRIU's `stats_entry`, and in that the one for how long it took. */
  readonly entry: number;
  readonly duration: number;
  /** Fields that CRIU's readers miss where they are not there. */
  readonly required: readonly number[];
}

export const DUMP: Statistics = { file: "stats-dump", entry: 1, duration: 2, required: [1, 2, 3, 4, 5, 6, 7, 9] };
export const RESTORE: Statistics = { file: "stats-restore", entry: 2, duration: 4, required: [1, 2, 3, 4] };

/**
 * Writes CRIU's statistics to the directory of --work-path, where there is one: podman prints them, and puts them into its archives.
 * How long the call took is in them, and pages are not counted.
 *
 * @param since of `performance.now()`
 */
export async function writeStatistics(
  statistics: Statistics,
  { options, log, since }: { readonly options: Options; readonly log: Context["log"]; readonly since: number },
): Promise<void> {
  const directory = options.text("work-path");
  if (directory === undefined) return;
  const path = join(directory, statistics.file);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // A new file: no link of another's is followed.
    await rm(path, { force: true });
    await writeFile(path, statisticsImage(statistics, performance.now() - since), { flag: "wx", mode: 0o600 });
  } catch (error) {
    // What they are about is done.
    log.warning(`CRIU's statistics cannot be written to ${path}: ${reasonOf(error)}`);
  }
}

/** @param ms how long it took */
export function statisticsImage({ entry, duration, required }: Statistics, ms: number): Uint8Array {
  const microseconds = Math.min(Math.round(ms * 1000), MOST_MICROSECONDS);
  const fields = required.flatMap((field) => [field << 3, ...varint(field === duration ? microseconds : 0)]);
  const payload = [(entry << 3) | 2, ...varint(fields.length), ...fields];
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  [SERVICE_IMAGE, STATISTICS_IMAGE, payload.length].forEach((word, index) => {
    header.setUint32(index * 4, word, true);
  });
  return Uint8Array.from([...new Uint8Array(header.buffer), ...payload]);
}

function varint(value: number): number[] {
  const bytes = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}
