const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** As Docker writes it: three digits, in powers of a thousand. */
export function sizeText(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  return `${String(Number((bytes / 1000 ** power).toPrecision(3)))} ${UNITS[power] ?? ""}`;
}

const STEPS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/** In its largest unit. */
export function ageOf(since: Date, now: Date = new Date()): string {
  const seconds = Math.max(0, Math.round((now.getTime() - since.getTime()) / 1000));
  for (const [length, name] of STEPS) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${String(count)} ${name}${count === 1 ? "" : "s"} ago`;
  }
  return "now";
}
