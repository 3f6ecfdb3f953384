import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareScriptEngine } from "@kata-ts/guest-image";
import { afterAll, describe, expect, it } from "vitest";
import { bundle, bundleInParts, lackingGlobals } from "../src/index.ts";

/** On a busy machine. */
const BUILD_MS = 60_000;
const { program: engine } = await prepareScriptEngine({ native: join(import.meta.dirname, "..", "native") });
const directory = mkdtempSync(join(tmpdir(), "kata-js-"));

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe("a bundle", { timeout: BUILD_MS }, () => {
  const source = join(directory, "uses.mjs");

  async function bundled(text: string, inParts: boolean): Promise<unknown> {
    writeFileSync(source, text);
    const options = { lacking: await lackingGlobals(engine) };
    return inParts
      ? bundleInParts([source], join(directory, "used-parts"), options)
      : bundle([source], join(directory, "used.js"), options);
  }

  it.each([
    ["a global", "console.log(await fetch('x'));", "fetch"],
    ["a member of one", "console.log(Promise.try(() => 1));", "Promise.try"],
    ["a member of process", "console.log(process.memoryUsage());", "process.memoryUsage"],
    [
      "one where it asks for another",
      "if (typeof fetch === 'function') console.log(structuredClone({}));",
      "structuredClone",
    ],
  ])("is not made of a program that uses %s which the engine does not have", async (_what, text, name) => {
    for (const inParts of [false, true]) {
      await expect(bundled(text, inParts)).rejects.toThrow(
        new RegExp(`^the engine has no ${name}, used by .*uses\\.mjs$`),
      );
    }
  });

  it.each([
    ["a member of Node's module", "import { glob } from 'node:fs'; console.log(glob);", /No matching export.*glob/],
    [
      "a member of it by a name for all",
      "import * as fs from 'node:fs'; console.log(fs.glob);",
      /"glob" will always be undefined/,
    ],
    ["promises, whose members are not known", "import { promises } from 'node:fs'; console.log(promises);", /promises/],
  ])("is not made of a program that imports %s which the engine does not have", async (_what, text, words) => {
    for (const inParts of [false, true]) await expect(bundled(text, inParts)).rejects.toThrow(words);
  });

  it("may name what the engine does not have where it asks before, or where the name is its own", async () => {
    const text = `const fetch = () => 1;
      const set = globalThis.WebSocket === undefined ? 2 : WebSocket;
      console.log(fetch(), set, typeof Intl === "object" ? new Intl.Locale("de") : 3, { structuredClone: 4 }.structuredClone);`;
    for (const inParts of [false, true]) await expect(bundled(text, inParts)).resolves.toBeDefined();
  });
});
