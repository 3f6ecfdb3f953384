import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { escapeControls } from "@kata-ts/linux";
import { object, parseShape, text } from "@kata-ts/linux/shape";
import { reasonOf } from "../errors.ts";

const RECORD = "refill-failure.json";
/** Part of it may be a guest's last words. */
const MAX_REASON = 1_000;

/** Why the last fill of a cache made fewer VMs than it was to: it runs in the background, where no caller sees it. */
export interface RefillFailure {
  /** As of Date.toISOString. */
  readonly at: string;
  /** One line. */
  readonly reason: string;
}

const shape = object<RefillFailure>({ at: text, reason: text });

/** @param cache its directory; where that is closed meanwhile, nothing is recorded */
export async function recordFailure(cache: string, error: unknown): Promise<void> {
  const reason = escapeControls(reasonOf(error).replace(/\s*\n\s*/g, " ")).slice(0, MAX_REASON);
  const record: RefillFailure = { at: new Date().toISOString(), reason };
  const path = join(cache, RECORD);
  try {
    await writeFile(`${path}~`, JSON.stringify(record), { mode: 0o600 });
    await rename(`${path}~`, path);
  } catch {
    return; // What failed is thrown in any case.
  }
}

export async function forgetFailure(cache: string): Promise<void> {
  await rm(join(cache, RECORD), { force: true });
}

/** Undefined where the last fill did not fail, and where the record is damaged. */
export async function readFailure(cache: string): Promise<RefillFailure | undefined> {
  try {
    return parseShape(shape, await readFile(join(cache, RECORD), "utf8"), RECORD);
  } catch {
    return undefined;
  }
}

/** The end of a sentence about a refill. */
export function failedAt({ at, reason }: RefillFailure): string {
  return `at ${at}, failed: ${reason}`;
}
