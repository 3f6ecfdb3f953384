import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { locate } from "./locate.ts";

describe("what kata run takes its root file system from", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-locate-"));
    for (const name of ["rootfs", "layout"]) mkdirSync(join(directory, name));
    writeFileSync(join(directory, "layout/oci-layout"), "{}");
    writeFileSync(join(directory, "saved.tar"), "");
    writeFileSync(join(directory, "odd:name.tar"), "");
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("is found by its path, with the name of an image behind it, or in a registry", () => {
    const at = (name: string): string => join(directory, name);
    expect(locate(at("rootfs"))).toBeUndefined();
    expect(locate(at("layout"))).toEqual({ layout: at("layout") });
    expect(locate(at("layout:app"))).toEqual({ layout: at("layout"), tag: "app" });
    expect(locate(at("saved.tar"))).toEqual({ archive: at("saved.tar") });
    expect(locate(at("saved.tar:alpine:3.20"))).toEqual({ archive: at("saved.tar"), tag: "alpine:3.20" });
    const full = "docker.io/library/alpine:3.20";
    expect(locate(at(`saved.tar:${full}`))).toEqual({ archive: at("saved.tar"), tag: full });
    expect(locate(at("odd:name.tar"))).toEqual({ archive: at("odd:name.tar") });
    expect(locate("localhost:5000/app:1")).toEqual({ registry: "localhost:5000/app:1" });
  });

  it("is no registry's where it looks like a path", () => {
    for (const path of ["/nonexistent/rootfs", "./nonexistent", "../nonexistent"]) {
      expect(() => locate(path)).toThrow("looks like a path");
    }
  });
});
