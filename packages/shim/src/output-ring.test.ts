import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { droppedPath, readDropped } from "./dropped-output.ts";
import { OutputRing, outputPaths } from "./output-ring.ts";

describe("the files of an output", () => {
  let directory = "";
  const files = (maxBytes: number, maxFiles: number) => ({ path: join(directory, "log"), maxBytes, maxFiles });
  const contents = (count: number): string[] => outputPaths(files(0, count)).map((path) => readFileSync(path, "utf8"));

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "output-ring-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("hold the last of it, in turn, with whole lines", () => {
    const ring = new OutputRing(files(10, 3));
    for (let line = 1; line <= 9; line += 1) ring.write(Buffer.from(`line${String(line)}\n`));
    ring.close();
    expect(contents(3)).toEqual(["line7\n", "line8\n", "line9\n"]);
  });

  it("are in order by their dates, however fast they were written", () => {
    const ring = new OutputRing(files(10, 3));
    for (let line = 1; line <= 8; line += 1) ring.write(Buffer.from(`line${String(line)}\n`));
    ring.close();
    const dated = outputPaths(files(0, 3)).map((path) => ({ path, at: statSync(path, { bigint: true }).mtimeNs }));
    const inOrder = dated.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).map(({ path }) => path);
    expect(inOrder.map((path) => readFileSync(path, "utf8"))).toEqual(["line6\n", "line7\n", "line8\n"]);
  });

  it("never are larger than they may be, however much comes at once", () => {
    const ring = new OutputRing(files(10, 2));
    ring.write(Buffer.from(`${"x".repeat(95)}\n`));
    ring.close();
    expect(contents(2).join("").length).toBeLessThanOrEqual(20);
    expect(contents(2).some((text) => text.endsWith("x\n"))).toBe(true);
  });

  it("are one that starts again where there may be one only", () => {
    const ring = new OutputRing(files(8, 1));
    for (const text of ["one\n", "two\n", "three\n"]) ring.write(Buffer.from(text));
    ring.close();
    expect(contents(1)).toEqual(["three\n"]);
  });

  it("say how much of it is there no more, also after it went on", () => {
    const write = (lines: readonly number[]): void => {
      const ring = new OutputRing(files(10, 3));
      for (const line of lines) ring.write(Buffer.from(`line${String(line)}\n`));
      ring.close();
    };
    write([1, 2, 3]);
    expect(readDropped(files(10, 3).path)).toEqual({ old: 0, unwritten: 0 });
    write([4, 5]);
    const kept = contents(3).join("").length;
    expect(readDropped(files(10, 3).path)).toEqual({ old: 5 * 6 - kept, unwritten: 0 });
    const before = readDropped(files(10, 3).path).old;
    write([6]);
    expect(readDropped(files(10, 3).path).old).toBeGreaterThan(before);
  });

  it("say what a full disk had no room for", () => {
    const ring = new OutputRing({ ...files(100, 1), path: "/dev/full" }, join(directory, "log"));
    ring.write(Buffer.from("lost\n"));
    ring.close();
    expect(readDropped(join(directory, "log"))).toEqual({ old: 0, unwritten: 5 });
  });

  it("count nothing where the count is damaged, or missing", () => {
    expect(readDropped(files(10, 1).path)).toEqual({ old: 0, unwritten: 0 });
    writeFileSync(droppedPath(files(10, 1).path), "evil");
    expect(readDropped(files(10, 1).path)).toEqual({ old: 0, unwritten: 0 });
  });

  it("go on behind what is there already", () => {
    writeFileSync(join(directory, "log"), "before\n");
    const ring = new OutputRing(files(12, 2));
    ring.write(Buffer.from("now\n"));
    ring.write(Buffer.from("later\n"));
    ring.close();
    expect(contents(2)).toEqual(["before\nnow\n", "later\n"]);
  });
});
