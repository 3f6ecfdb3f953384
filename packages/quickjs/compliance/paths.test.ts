import { basename, dirname, extname, isAbsolute, join, normalize, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

describe("paths", () => {
  it.each([
    ["/a/b/c.txt", "/a/b", "c.txt", ".txt"],
    ["/a", "/", "a", ""],
    ["a", ".", "a", ""],
    ["/", "/", "", ""],
    ["a//b//", "a/", "b", ""],
    [".hidden", ".", ".hidden", ""],
    ["a.b.c", ".", "a.b.c", ".c"],
    ["a.", ".", "a.", "."],
    ["..", ".", "..", ""],
    ["", ".", "", ""],
  ])("%s are taken apart", (path, directory, name, extension) => {
    expect([dirname(path), basename(path), extname(path)]).toEqual([directory, name, extension]);
  });

  it("are put together", () => {
    expect([join("a", "", "../b", "./c/"), join(), join("/", ".."), join("..", "a")]).toEqual([
      "b/c/",
      ".",
      "/",
      "../a",
    ]);
    expect([resolve("/a", "b", "../c"), resolve("/a", "/b/"), resolve("x")]).toEqual([
      "/a/c",
      "/b",
      join(process.cwd(), "x"),
    ]);
    expect([normalize("/a/../../b/"), normalize("a/./b//c"), normalize("./"), normalize("")]).toEqual([
      "/b/",
      "a/b/c",
      "./",
      ".",
    ]);
    expect([relative("/a/b/c", "/a/d"), relative("/a", "/a"), relative("/", "/x/y")]).toEqual(["../../d", "", "x/y"]);
    expect([
      isAbsolute("/a"),
      isAbsolute("a"),
      basename("/a/b.js", ".js"),
      basename("b", "b"),
      basename("/b", "b"),
    ]).toEqual([true, false, "b", "", "b"]);
  });
});
