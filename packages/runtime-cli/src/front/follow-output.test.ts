import { appendFileSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { droppedText } from "./dropped-text.ts";
import { OutputReader } from "./follow-output.ts";
import { LastLines } from "./last-lines.ts";

describe("the output of a detached container", () => {
  let directory = "";
  let paths: string[] = [];
  let clock = 0;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-output-"));
    paths = ["log", "log.1", "log.2"].map((name) => join(directory, name));
    clock = 1_000_000;
    for (const index of [0, 1, 2]) write(index, "");
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** As the ring does: each write is later than the one before. */
  function write(index: number, text: string, begins = true): void {
    const path = paths[index] ?? "";
    if (begins) writeFileSync(path, text);
    else appendFileSync(path, text);
    clock += 1;
    utimesSync(path, clock, clock);
  }

  const all = (reader: OutputReader): string[] => [...reader.read()].map((chunk) => chunk?.toString() ?? "LOST");

  it("comes in the order in which it is written, from file to file, and each time what is new", () => {
    using reader = new OutputReader(paths);
    expect(all(reader)).toEqual([]);
    write(0, "1");
    expect(all(reader)).toEqual(["1"]);
    write(0, "2", false);
    write(1, "3");
    write(2, "4");
    expect(all(reader)).toEqual(["2", "3", "4"]);
    write(0, "5");
    expect(all(reader)).toEqual(["5"]);
    expect(all(reader)).toEqual([]);
  });

  it("begins with the oldest, wherever the ring is", () => {
    write(0, "1");
    write(1, "2");
    write(2, "3");
    write(0, "4");
    using reader = new OutputReader(paths);
    expect(all(reader)).toEqual(["2", "3", "4"]);
  });

  it("says what was overwritten before it was read", () => {
    write(0, "long enough");
    using reader = new OutputReader(paths);
    expect(all(reader)).toEqual(["long enough"]);
    for (const [index, text] of [
      [1, "a"],
      [2, "b"],
      [0, "c"],
    ] as const)
      write(index, text);
    expect(all(reader)).toEqual(["LOST", "a", "b", "c"]);
  });

  it("says so, too, where there is more in the file again than was read of it", () => {
    let overwritten = 0;
    write(0, "one");
    write(1, "two");
    using reader = new OutputReader(paths, () => overwritten);
    const chunks = reader.read();
    expect(String(chunks.next().value)).toBe("one");
    write(2, "three");
    for (const [index, text] of [
      [0, "four and more"],
      [1, "five"],
    ] as const) {
      overwritten += 3;
      write(index, text);
    }
    expect([...chunks].map((chunk) => chunk?.toString() ?? "LOST")).toEqual(["LOST", "three", "four and more", "five"]);
  });

  it("does not show what is overwritten while it reads it", () => {
    write(0, "one");
    write(1, "two");
    write(2, "three");
    let looks = 0;
    const overwritten = (): number => {
      looks += 1;
      // The reader has looked at the beginning, and before it read.
      if (looks === 3) write(0, "four");
      return looks < 3 ? 0 : 3;
    };
    using reader = new OutputReader(paths, overwritten);
    expect(all(reader)).toEqual(["LOST", "two", "three", "four"]);
  });

  it("names what is not there any more, and nothing where all is", () => {
    expect(droppedText({ old: 0, unwritten: 0 })).toBe("");
    expect(droppedText({ old: 5, unwritten: 0 })).toMatch(/^kata: the oldest 5 bytes [^\n]*max-size and max-file\n$/);
    expect(droppedText({ old: 0, unwritten: 7 })).toBe(
      "kata: 7 bytes of the output are missing, because the disk was full\n",
    );
    expect(droppedText({ old: 5, unwritten: 7 }).match(/^kata: /gm)).toHaveLength(2);
  });

  it("can be cut to its last lines", () => {
    const last = new LastLines(2);
    for (const text of ["one\ntw", "o\nthr", "ee\nfo"]) last.add(Buffer.from(text));
    expect(last.bytes.toString()).toBe("three\nfo");
    expect([last.isFull, new LastLines(2).isFull]).toEqual([true, false]);
    last.add(Buffer.from("ur\nfive\n"));
    expect(last.bytes.toString()).toBe("four\nfive\n");
    last.add(undefined);
    last.add(Buffer.from("seven\n"));
    expect([last.bytes.toString(), last.isFull], "what was before a gap is not among them").toEqual(["seven\n", false]);
    const none = new LastLines(0);
    none.add(Buffer.from("one\n"));
    expect(none.bytes.toString()).toBe("");
  });
});
