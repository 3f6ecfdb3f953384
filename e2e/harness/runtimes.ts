import { Kata } from "./kata.ts";

/**
 * Ours, and runc on the host: what a test shows of one it has to show of the other. Differences that remain are in
 * docs/deviations.md.
 */
export const RUNTIMES: readonly (readonly [name: string, open: () => Kata])[] = [
  ["kata-runtime", () => new Kata()],
  ["runc", () => new Kata([], "/usr/sbin/runc")],
];
