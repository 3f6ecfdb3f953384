import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

/** Each test of a file that imports this has an empty one. */
export let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kata-js-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

export function at(name: string): string {
  return join(directory, name);
}

/** What is thrown, as far as programs look at it. */
export function failure(body: () => unknown): unknown {
  try {
    return body();
  } catch (error) {
    const { code, errno, syscall, path, dest, message } = error as NodeJS.ErrnoException & { dest?: string };
    const text = message.replaceAll(directory, "DIR");
    return { code, errno, syscall, path: path?.replace(directory, "DIR"), dest: dest?.replace(directory, "DIR"), text };
  }
}
