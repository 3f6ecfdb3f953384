import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { object, parseShape, text } from "@kata-ts/linux/shape";

export interface GuestAge {
  /** The release of Debian, such as `trixie`. */
  readonly suite: string;
  /** The day whose versions the guest has, as YYYY-MM-DD. */
  readonly day: string;
  readonly days: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Debian publishes fixes for the guest's kernel every two to four weeks. */
const OLD_DAYS = 45;

const versions = object<Pick<GuestAge, "suite" | "day">>({ suite: text, day: text });

/**
 * How old the packages of a guest are, by the note that the build puts beside the image.
 *
 * @returns undefined for an image without that note
 */
export function guestAge(imagePath: string, now: Date): GuestAge | undefined {
  try {
    const json = readFileSync(join(dirname(imagePath), "guest-versions.json"), "utf8");
    const { suite, day } = parseShape(versions, json, "guest-versions.json");
    const made = Date.parse(day);
    if (!Number.isFinite(made)) return undefined;
    return { suite, day, days: Math.max(0, Math.floor((now.getTime() - made) / DAY_MS)) };
  } catch {
    return undefined;
  }
}

/** A sentence for people. */
export function describeAge({ suite, day, days }: GuestAge): string {
  const ago = days === 0 ? "today" : `${String(days)} ${days === 1 ? "day" : "days"} ago`;
  return `The guest has the packages that Debian ${suite} had on ${day}, ${ago}.`;
}

/** @returns what to do about an old guest; undefined for a recent one */
export function ageWarning({ day, days }: GuestAge): string | undefined {
  if (days <= OLD_DAYS) return undefined;
  return `the guest's packages are those of ${day}, and may lack security fixes: install a newer release, or run \`npm run guest:update\` where kata-ts was built`;
}
