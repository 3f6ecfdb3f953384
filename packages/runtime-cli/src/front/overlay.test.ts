import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeRootfs, unmountRootfs } from "./overlay.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kata-overlay-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

it.each(["plain", "a,b", "a:b", "a:/b", "a\\b", "a\\"])(
  "is over an image below a directory called %j",
  async (name) => {
    const [lower, bundle] = [join(directory, name, "image"), join(directory, name, "bundle")];
    for (const each of [lower, bundle]) mkdirSync(each, { recursive: true });
    writeFileSync(join(lower, "file"), "of the image");
    const warnings: string[] = [];
    const { signal } = new AbortController();
    const rootfs = await makeRootfs(lower, bundle, { signal, warn: (message) => void warnings.push(message) });
    try {
      expect(warnings).toEqual([]);
      expect(readFileSync(join(rootfs, "file"), "utf8")).toBe("of the image");
      writeFileSync(join(rootfs, "more"), "");
      expect([lower, join(bundle, "upper")].map((each) => existsSync(join(each, "more")))).toEqual([false, true]);
    } finally {
      await unmountRootfs(bundle);
    }
  },
);
