import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GuestConsole } from "./guest-console.ts";

const FILE_BYTES = 1024 * 1024;

describe("GuestConsole", () => {
  let directory = "";
  let source: PassThrough;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "console-"));
    source = new PassThrough();
  });

  afterEach(() => {
    source.destroy();
    rmSync(directory, { recursive: true, force: true });
  });

  function say(text: string): Promise<void> {
    return new Promise((resolve) => {
      source.once("data", () => {
        resolve();
      });
      source.write(text);
    });
  }

  it("keeps two files of bounded size, the newest last", async () => {
    const file = join(directory, "console.log");
    const console = new GuestConsole(source, file, () => undefined);
    for (const letter of "abc") await say(letter.repeat(FILE_BYTES * 0.9));
    expect(readFileSync(file, "latin1")[0]).toBe("c");
    expect(readFileSync(`${file}.1`, "latin1")[0]).toBe("b");
    expect(console.tail.text().endsWith("c")).toBe(true);
  });

  it("goes on within the same bound where there can be no second file", async () => {
    const file = join(directory, "console.log");
    mkdirSync(`${file}.1`); // A rename onto a directory fails, as it does on a directory that is full.
    const console = new GuestConsole(source, file, () => undefined);
    for (const letter of "abc") await say(letter.repeat(FILE_BYTES * 0.9));
    expect(console.tail.text().endsWith("c")).toBe(true);
    expect(statSync(file).size).toBeLessThanOrEqual(FILE_BYTES);
  });

  it("notes how far the guest came, also where it says so letter by letter", async () => {
    const reached = Promise.withResolvers<undefined>();
    const console = new GuestConsole(source, join(directory, "console.log"), () => {
      reached.resolve(undefined);
    });
    for (const letter of "kata-init: up\nkata-agent: starting\n") await say(letter);
    expect(console.phase).toBe("agent");
    for (const letter of "kata-agent: ready\n") await say(letter);
    await reached.promise;
    expect(console.phase).toBe("ready");
  });

  it("goes on when its directory is gone", async () => {
    const console = new GuestConsole(source, join(directory, "console.log"), () => undefined);
    rmSync(directory, { recursive: true });
    for (const letter of "abc") await say(letter.repeat(FILE_BYTES * 0.9));
    expect(console.tail.text().endsWith("c")).toBe(true);
  });
});
