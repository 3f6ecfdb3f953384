import { UsageError } from "./parse.ts";

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Go's notation: `5s`, `1m30s`, `500ms`. @returns milliseconds @throws UsageError */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    throw new UsageError(`invalid duration "${text}"`);
  }
  return parts.reduce((sum, [, value, unit]) => sum + Number(value) * (MILLISECONDS[unit ?? ""] ?? 0), 0);
}
