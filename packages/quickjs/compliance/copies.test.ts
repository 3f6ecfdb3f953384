import * as fs from "node:fs";
import { cp, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let directory: string;

beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), "kata-js-"));
});

afterEach(() => {
  fs.rmSync(directory, { recursive: true });
});

function at(name: string): string {
  return join(directory, name);
}

function makeTree(name: string): void {
  fs.mkdirSync(at(`${name}/inner`), { recursive: true });
  fs.writeFileSync(at(`${name}/program`), Buffer.alloc(150_000, "xyz"), { mode: 0o750 });
  fs.writeFileSync(at(`${name}/inner/text`), "text");
  fs.symlinkSync("inner/text", at(`${name}/link`));
  fs.symlinkSync("/nowhere", at(`${name}/dangling`));
  fs.chmodSync(at(`${name}/inner`), 0o710);
  fs.utimesSync(at(`${name}/program`), 1_000_000, 2_000_000);
}

describe("cp", () => {
  it("copies a directory with all that is in it, and its rights", async () => {
    makeTree("from");
    await cp(at("from"), at("new/deep/to"), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    expect(fs.readdirSync(at("new/deep/to")).sort()).toEqual(["dangling", "inner", "link", "program"]);
    expect(fs.readFileSync(at("new/deep/to/program"))).toEqual(fs.readFileSync(at("from/program")));
    expect(fs.readFileSync(at("new/deep/to/link"), "latin1")).toBe("text");
    expect([fs.readlinkSync(at("new/deep/to/link")), fs.readlinkSync(at("new/deep/to/dangling"))]).toEqual([
      "inner/text",
      "/nowhere",
    ]);
    const { mode, mtimeMs } = fs.statSync(at("new/deep/to/program"));
    expect([mode & 0o777, mtimeMs, fs.statSync(at("new/deep/to/inner")).mode & 0o777]).toEqual([
      0o750, 2_000_000_000, 0o710,
    ]);
  });

  it("has links lead to where the originals do, unless they are to stay as they are", async () => {
    makeTree("from");
    await cp(at("from"), at("to"), { recursive: true });
    expect(fs.readlinkSync(at("to/link"))).toBe(at("from/inner/text"));
    await cp(at("from/link"), at("same"), { verbatimSymlinks: true });
    expect(fs.readlinkSync(at("same"))).toBe("inner/text");
  });

  it("writes over files and into directories that are there", async () => {
    makeTree("from");
    fs.mkdirSync(at("to"));
    for (const name of ["program", "other"]) fs.writeFileSync(at(`to/${name}`), "old");
    await cp(at("from"), at("to"), { recursive: true, verbatimSymlinks: true });
    expect([fs.statSync(at("to/program")).size, fs.readFileSync(at("to/other"), "latin1")]).toEqual([150_000, "old"]);
    await cp(at("from/inner/text"), at("to/program"));
    expect(fs.readFileSync(at("to/program"), "latin1")).toBe("text");
  });

  it.each([
    ["a directory, where that is not asked for", "from", "to", false, "ERR_FS_EISDIR"],
    ["what is not there", "none", "to", true, "ENOENT"],
    ["a directory into itself", "from", "from/inner/to", true, "ERR_FS_CP_EINVAL"],
    ["a file onto itself", "from/program", "from/program", false, "ERR_FS_CP_EINVAL"],
    ["a file over a directory", "from/program", "from/inner", false, "ERR_FS_CP_NON_DIR_TO_DIR"],
    ["a directory over a file", "from/inner", "from/program", true, "ERR_FS_CP_DIR_TO_NON_DIR"],
  ])("refuses %s", async (_what, from, to, recursive, code) => {
    makeTree("from");
    await expect(cp(at(from), at(to), { recursive })).rejects.toMatchObject({ code });
    expect(fs.statSync(at("from/program")).size).toBe(150_000);
  });
});

describe("realpath", () => {
  it("is the place itself, and of what is there", async () => {
    makeTree("tree");
    expect(await realpath(at("tree/../tree/link"))).toBe(`${fs.realpathSync(directory)}/tree/inner/text`);
    await expect(realpath(at("tree/dangling"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
