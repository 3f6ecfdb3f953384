import * as fs from "node:fs";
import * as promises from "node:fs/promises";
import { describe, expect, it } from "vitest";

import { at, directory, failure } from "./harness/own-directory.ts";

describe("directories", () => {
  it("are made with their parents, and say which was the first", () => {
    expect(fs.mkdirSync(at("a/b/c"), { recursive: true })).toBe(at("a"));
    expect(fs.mkdirSync(at("a/b/c"), { recursive: true })).toBeUndefined();
    // The last is there once its parents are, as where another program makes it at the same time.
    expect(fs.mkdirSync(`${at("e/f")}/..`, { recursive: true })).toBe(at("e"));
    fs.mkdirSync(at("d"), { mode: 0o700 });
    expect((fs.statSync(at("d")).mode & 0o777).toString(8)).toBe("700");
    fs.writeFileSync(at("file"), "");
    expect(failure(() => fs.mkdirSync(at("file/x"), { recursive: true }))).toMatchObject({ code: "ENOTDIR" });
    expect(failure(() => fs.mkdirSync(at("file"), { recursive: true }))).toMatchObject({ code: "EEXIST" });
  });

  it("are listed in order, with kinds, and with what is below", () => {
    fs.mkdirSync(at("dir"));
    for (const name of ["b", "a", "dir/ü"]) fs.writeFileSync(at(name), "");
    fs.symlinkSync("a", at("link"));
    expect(fs.readdirSync(directory)).toEqual(["a", "b", "dir", "link"]);
    const kinds = fs.readdirSync(directory, { withFileTypes: true }).map((entry) => [entry.name, entry.isDirectory()]);
    expect(kinds).toEqual([
      ["a", false],
      ["b", false],
      ["dir", true],
      ["link", false],
    ]);
    expect(fs.readdirSync(directory, { recursive: true }).toSorted()).toEqual(["a", "b", "dir", "dir/ü", "link"]);
  });

  it("are listed in the encoding that is asked for", async () => {
    fs.mkdirSync(at("dir"));
    fs.writeFileSync(Buffer.from(at("dir/\xff"), "latin1"), "");
    fs.writeFileSync(at("ü"), "");
    expect(fs.readdirSync(directory, "buffer")).toEqual([Buffer.from("dir"), Buffer.from("ü")]);
    expect(await promises.readdir(directory, { encoding: "hex" })).toEqual(["646972", "c3bc"]);
    expect(fs.readdirSync(Buffer.from(at("dir")), "latin1")).toEqual(["\xff"]);
    expect(fs.readdirSync(directory, { encoding: null })).toEqual(["dir", "ü"]);
    const [entry] = fs.readdirSync(Buffer.from(at("dir")), { withFileTypes: true, encoding: "buffer" });
    expect([entry?.name, entry?.isFile(), String(entry?.parentPath)]).toEqual([Buffer.of(0xff), true, at("dir")]);
    expect(fs.readdirSync(directory, { recursive: true, encoding: "buffer" })).toEqual([
      ...[Buffer.from("dir"), Buffer.from("ü"), Buffer.from("dir/\xff", "latin1")],
    ]);
    expect(failure(() => fs.readdirSync(directory, "none" as "utf8"))).toMatchObject({ code: "ERR_INVALID_ARG_VALUE" });
  });

  it("go with directories below them after what is beside them", () => {
    fs.mkdirSync(at("a/b"), { recursive: true });
    fs.writeFileSync(at("a/b/file"), "");
    fs.writeFileSync(at("z"), "");
    expect(fs.readdirSync(directory, { recursive: true })).toEqual(["a", "z", "a/b", "a/b/file"]);
    const entries = fs.readdirSync(directory, { recursive: true, withFileTypes: true });
    expect(entries.map(({ parentPath }) => parentPath.replace(directory, ""))).toEqual(["", "", "/a", "/a/b"]);
  });

  it.each([false, true])("go with names in them that are no UTF-8, forced: %s", (force) => {
    fs.mkdirSync(at("dir"));
    fs.mkdirSync(Buffer.from(at("dir/\xff"), "latin1"));
    fs.writeFileSync(Buffer.from(at("dir/\xff/\xfe"), "latin1"), "");
    fs.rmSync(at("dir"), { recursive: true, force });
    expect(fs.existsSync(at("dir"))).toBe(false);
  });

  it("go with all that is in them, and only when that is wanted", () => {
    fs.mkdirSync(at("dir/below"), { recursive: true });
    fs.writeFileSync(at("dir/below/file"), "");
    fs.symlinkSync(directory, at("dir/link"));
    expect(
      failure(() => {
        fs.rmdirSync(at("dir"));
      }),
    ).toMatchObject({ code: "ENOTEMPTY" });
    expect(
      failure(() => {
        fs.rmSync(at("dir"));
      }),
    ).toMatchObject({ code: "ERR_FS_EISDIR" });
    fs.rmSync(at("dir"), { recursive: true });
    expect(fs.readdirSync(directory)).toEqual([]);
    fs.rmSync(at("dir"), { force: true });
    expect(
      failure(() => {
        fs.rmSync(at("dir"));
      }),
    ).toMatchObject({ code: "ENOENT" });
  });
});
