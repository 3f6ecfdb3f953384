import { ERRORS } from "../errno.ts";
import { succeed } from "../libc.ts";
import { mkdirAt } from "./names.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const RANDOM_LETTERS = 6;
const TRIES = 100;

/** A new directory for its owner alone, with six letters behind the prefix. */
export function mkdtempSync(prefix: string): string {
  let result = 0;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const path = `${prefix}${Array.from({ length: RANDOM_LETTERS }, randomLetter).join("")}`;
    result = mkdirAt(path, 0o700);
    if (result === 0) return path;
    if (result !== -ERRORS.EEXIST[0]) break;
  }
  succeed(result, "mkdtemp", { path: `${prefix}XXXXXX` });
  return "";
}

function randomLetter(): string {
  return LETTERS[Math.floor(Math.random() * LETTERS.length)] ?? "x";
}
