import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exportOf } from "./export-of.ts";

const WRITABLE = { readonly: false, recursive: true };
const ROOT = "1 0 8:1 / / rw,relatime - ext4 /dev/vda rw";

describe("what is exported of a source", () => {
  let directory = "";
  let source = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "export of-"));
    source = join(directory, "source");
    mkdirSync(join(source, "below"), { recursive: true });
    writeFileSync(join(directory, "file"), "");
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** mountinfo with a mount at this path. */
  function mountAt(path: string, flags = "rw"): string {
    return `${ROOT}\n2 1 8:2 / ${path.replaceAll(" ", "\\040")} ${flags} - ext4 /dev/vdb rw\n`;
  }

  it("is the same whatever path leads to it, and whether or not it may be written", async () => {
    symlinkSync(source, join(directory, "link"));
    const { name } = await exportOf(source, WRITABLE, ROOT);
    expect((await exportOf(join(directory, "link"), WRITABLE, ROOT)).name).toBe(name);
    expect((await exportOf(source, { readonly: true, recursive: false }, ROOT)).name).toBe(name);
    expect((await exportOf(join(source, "below"), WRITABLE, ROOT)).name).not.toBe(name);
    expect(await exportOf(join(directory, "file"), WRITABLE, ROOT)).toMatchObject({ isDirectory: false });
  });

  it("is another one with the mounts below it, where there are any", async () => {
    const mounted = mountAt(join(source, "below"));
    const without = await exportOf(source, { readonly: false, recursive: false }, mounted);
    const with_ = await exportOf(source, WRITABLE, mounted);
    expect(with_).toMatchObject({ name: `${without.name}-tree`, recursive: true });
    const readonlyTree = { ...WRITABLE, readonlyTree: true };
    expect((await exportOf(source, readonlyTree, mounted)).name).toBe(`${with_.name}-rro`);
    expect((await exportOf(source, readonlyTree, ROOT)).name).toBe(without.name);
    const readonlyTop = { readonly: true, recursive: true };
    expect((await exportOf(source, readonlyTop, mounted)).name).toBe(`${with_.name}-top`);
    const following = { ...WRITABLE, propagation: "slave" } as const;
    expect((await exportOf(source, following, mounted)).name).toBe(`${with_.name}-slave`);
  });

  it("stays apart where the host has it read-only: another container does not make that writable", async () => {
    const { name } = await exportOf(source, WRITABLE, ROOT);
    const found = await exportOf(source, WRITABLE, mountAt(directory, "ro,relatime"));
    expect(found).toMatchObject({ name: `${name}-ro`, readonlyOnHost: true });
  });

  it("is nothing where there is no source", async () => {
    await expect(exportOf(join(directory, "none"), WRITABLE, ROOT)).rejects.toMatchObject({
      code: "KATA_MOUNT_SOURCE",
    });
  });
});
