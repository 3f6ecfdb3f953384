import { Buffer } from "../buffer.ts";
import { constants } from "./constants.ts";
import { closeSync, openSync, readSync, writeSync } from "./files.ts";
import { fchmodSync } from "./names.ts";
import type { PathArgument } from "./path-argument.ts";
import { fstatSync } from "./stats.ts";

const CHUNK = 64 * 1024;
const { O_WRONLY, O_CREAT, O_TRUNC } = constants;
const RIGHTS = 0o7777;

/** With its rights, over what is there. */
export function copyFileSync(from: PathArgument, to: PathArgument): void {
  const source = openSync(from, "r");
  try {
    const mode = Number(fstatSync(source).mode) & RIGHTS;
    const target = openSync(to, O_WRONLY | O_CREAT | O_TRUNC, mode);
    try {
      copyAll(source, target);
      fchmodSync(target, mode);
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}

function copyAll(source: number, target: number): void {
  const part = Buffer.allocUnsafe(CHUNK);
  for (let count = readSync(source, part); count > 0; count = readSync(source, part)) {
    for (let at = 0; at < count; ) at += writeSync(target, part, at, count - at);
  }
}
