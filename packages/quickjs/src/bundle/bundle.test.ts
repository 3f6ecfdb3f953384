import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bundle } from "./bundle.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kata-bundle-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Holds the imports of a file that go one way until it was reached by another. */
function heldBack(filter: RegExp, file: RegExp): Plugin {
  const reached = Promise.withResolvers<undefined>();
  return {
    name: "held-back",
    setup: (build) => {
      build.onResolve({ filter }, () => reached.promise);
      build.onLoad({ filter: file }, () => {
        reached.resolve(undefined);
        return undefined;
      });
    },
  };
}

it("is the same text, whichever way a file is reached first that is imported by several", async () => {
  const program = join(directory, "program.js");
  writeFileSync(program, 'import { Readable } from "node:stream";\nimport "node:fs";\nconsole.log(Readable);\n');
  const texts: string[] = [];
  for (const held of [/^node:stream$/, /^\.\.?\/stream\.ts$/]) {
    const to = join(directory, "bundle.js");
    await bundle([program], to, { plugins: [heldBack(held, /\/node\/stream\.ts$/)] });
    texts.push(readFileSync(to, "utf8"));
  }
  expect(texts[1]).toBe(texts[0]);
});
