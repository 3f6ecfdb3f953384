import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { visitDirectories } from "./directory-tree.ts";

const NOT_TEXT = Buffer.from("6869ff80fe", "hex");
/** So many names of this length are a path that no call takes. */
const [LEVELS, LONG] = [20, "d".repeat(250)];

describe("a visit of a directory and all below it", () => {
  let top: string;

  beforeEach(() => {
    top = join(mkdtempSync(join(tmpdir(), "kata-tree-")), "top");
    mkdirSync(top);
  });

  afterEach(() => {
    // By this visit: rmSync of Node takes none of these names.
    if (existsSync(top)) visitDirectories(top, 100, remove);
    rmdirSync(join(top, ".."));
  });

  it("reaches names that are no text, and paths that are longer than the kernel takes", () => {
    mkdirSync(Buffer.concat([Buffer.from(`${top}/`), NOT_TEXT]));
    makeDeep(top);
    let count = 0;
    visitDirectories(top, LEVELS, () => {
      count += 1;
    });
    expect(count).toBe(1 + 1 + LEVELS);
    visitDirectories(top, LEVELS, remove);
    expect(existsSync(top)).toBe(false);
  });

  it("goes no deeper than it may, and leaves nothing open", () => {
    makeDeep(top);
    const free = nextDescriptor();
    expect(() => {
      visitDirectories(top, LEVELS - 1, () => undefined);
    }).toThrow(/visit .*too many directories are in each other: ENAMETOOLONG/);
    expect(nextDescriptor()).toBe(free);
  });

  it("leaves out what goes meanwhile", () => {
    for (const name of ["one", "two"]) mkdirSync(join(top, name));
    const seen: string[] = [];
    visitDirectories(top, 1, (_directory, entry) => {
      seen.push(entry.subarray(-3).toString());
      for (const name of ["one", "two"]) rmSync(join(top, name), { recursive: true, force: true });
    });
    expect(seen).toEqual([expect.stringMatching(/one|two/), "top"]);
  });

  it.each(["ENOENT", "ENODEV"])(
    "goes on where what it visits is gone by the word %s, and no further by others",
    (code) => {
      for (const name of ["one", "two"]) mkdirSync(join(top, name));
      const seen: string[] = [];
      const fail = (errno: string) => (_directory: string, entry: Buffer) => {
        seen.push(entry.subarray(-3).toString());
        throw Object.assign(new Error(errno), { code: errno });
      };
      visitDirectories(top, 1, fail(code));
      expect(seen.toSorted()).toEqual(["one", "top", "two"]);
      expect(() => {
        visitDirectories(top, 1, fail("EIO"));
      }).toThrow("EIO");
      expect(seen).toHaveLength(4);
    },
  );

  it("follows no link, and is refused for what is not there", () => {
    expect(() => {
      visitDirectories(join(top, "none"), 1, () => undefined);
    }).toThrow("ENOENT");
    writeFileSync(join(top, "file"), "");
    let count = 0;
    visitDirectories(top, 0, () => {
      count += 1;
    });
    expect(count).toBe(1);
    rmSync(join(top, "file"));
  });
});

function remove(_directory: string, entry: Buffer): void {
  rmdirSync(entry);
}

function makeDeep(top: string): void {
  let at = openSync(top, "r");
  for (let level = 0; level < LEVELS; level++) {
    const name = `/proc/self/fd/${String(at)}/${LONG}`;
    mkdirSync(name);
    const next = openSync(name, "r");
    closeSync(at);
    at = next;
  }
  closeSync(at);
}

/** The lowest that is free. */
function nextDescriptor(): number {
  const fd = openSync("/dev/null", "r");
  closeSync(fd);
  return fd;
}
