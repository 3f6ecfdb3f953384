import { expect, it } from "vitest";
import { type CopyTarget, copyTarget, type Found } from "./copy-target.ts";

it.each<[string, boolean, string, Found, CopyTarget]>([
  ["/a/file", false, "/to", "directory", { directory: "/to", name: "file" }],
  ["/a/file", false, "/to/", "directory", { directory: "/to/", name: "file" }],
  ["/a/file", false, "/to/other", undefined, { directory: "/to", name: "other" }],
  ["/a/file", false, "/to/other", "file", { directory: "/to", name: "other" }],
  ["/a/tree", true, "/to", "directory", { directory: "/to", name: "tree" }],
  ["/a/tree/", true, "/to", "directory", { directory: "/to", name: "tree" }],
  ["/a/tree/.", true, "/to", "directory", { directory: "/to", name: "." }],
  ["/a/tree/.", true, "/to/new", undefined, { directory: "/to", name: "new" }],
  ["/a/tree", true, "/to/new/", undefined, { directory: "/to", name: "new" }],
  ["/", true, "/to", "directory", { directory: "/to", name: "." }],
])("%s (a directory: %s) to %s, which is %s", (source, isDirectory, target, found, expected) => {
  expect(copyTarget(source, isDirectory, target, found)).toEqual(expected);
});

it("a directory does not replace a file, and no directory is made for a file", () => {
  expect(() => copyTarget("/tree", true, "/to", "file")).toThrow("/to is no directory");
  expect(() => copyTarget("/file", false, "/to/", undefined)).toThrow("there is no directory /to/");
});
