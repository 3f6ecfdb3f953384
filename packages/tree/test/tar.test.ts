import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pack, Root, type UnpackOptions, unpack } from "../src/index.ts";
import { collect, content } from "./collect.ts";

describe("a tree as a tar", () => {
  let directory = "";
  let top = "";
  let root: Root;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-tar-"));
    top = join(directory, "root");
    mkdirSync(top);
    writeFileSync(join(directory, "secret"), "outside");
    root = new Root(top);
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  const copyTo = async (path: string, options?: UnpackOptions): Promise<void> => {
    mkdirSync(path, { recursive: true });
    await unpack(new Root(path), "/", pack(root, "/", { name: "tree" }), options);
  };

  function fill(): void {
    const long = "long-".repeat(40);
    mkdirSync(join(top, "directory", long), { recursive: true, mode: 0o755 });
    writeFileSync(join(top, "directory", long, "file"), "deep");
    writeFileSync(join(top, "name\nof two lines"), "x".repeat(700_001));
    writeFileSync(Buffer.concat([Buffer.from(`${top}/`), Buffer.from([0xff, 0xfe])]), "no UTF-8");
    symlinkSync("/etc/passwd", join(top, "link"));
    symlinkSync("t".repeat(200), join(top, "far link"));
    linkSync(join(top, "name\nof two lines"), join(top, "second name"));
    execFileSync("mkfifo", [join(top, "fifo")]);
    chmodSync(join(top, "directory"), 0o2751);
    chownSync(join(top, "second name"), 3_000_000, 7);
    utimesSync(join(top, "directory"), 1000, 1000);
    utimesSync(join(top, "second name"), 2000, 2000);
  }

  it("is the same tree again", async () => {
    fill();
    const copy = join(directory, "copy");
    await copyTo(copy);
    const shown = (path: string): string =>
      execFileSync("find", [".", "-printf", "%p %y %m %U %G %s %n %l\n"], { cwd: path }).toString();
    const sorted = (path: string): string[] =>
      shown(path)
        .split("\n")
        .filter((line) => !line.startsWith(". "))
        .map((line) => line.replace(/ d (\d+ \d+ \d+) .*/, " d $1"))
        .sort();
    expect(sorted(join(copy, "tree"))).toEqual(sorted(top));
    expect(statSync(join(copy, "tree", "directory")).mtimeMs).toBe(1_000_000);
    expect(readFileSync(join(copy, "tree", "second name"))).toEqual(readFileSync(join(top, "second name")));
  });

  it("is one that GNU's tar takes, and its tars are taken", async () => {
    fill();
    const tar = join(directory, "tree.tar");
    writeFileSync(tar, Buffer.concat(await collect(pack(root, "/directory"))));
    const long = "long-".repeat(40);
    const names = execFileSync("tar", ["-tf", tar]).toString().trim().split("\n");
    expect(names).toEqual(["directory/", `directory/${long}/`, `directory/${long}/file`]);
    for (const format of ["gnu", "ustar", "posix"]) {
      const source = format === "ustar" ? ["link", "fifo"] : ["."];
      execFileSync("tar", ["-c", `--format=${format}`, "-f", tar, ...source], { cwd: top });
      const copy = join(directory, format);
      mkdirSync(copy);
      await unpack(new Root(copy), "/", chunksOf(readFileSync(tar)));
      expect(readlinkSync(join(copy, "link"))).toBe("/etc/passwd");
      expect(lstatSync(join(copy, "fifo")).isFIFO()).toBe(true);
    }
    expect(readdirSync(join(directory, "gnu"))).toHaveLength(readdirSync(top).length);
  });

  async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
  }

  /** A tar with these, made by GNU's tar without any check of names. */
  function hostileTar(script: string, args: readonly string[]): Buffer {
    const made = join(directory, "made");
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made);
    execFileSync("sh", ["-c", script], { cwd: made });
    return execFileSync("tar", ["-cPf", "-", ...args], { cwd: made });
  }

  it.each([
    ["a path with ..", "mkdir in; echo x > out", ["in/../../made/out"], /has \.\. in it/],
    [
      "a link through which the next entry goes",
      "ln -s ../../.. a",
      ["a", "--transform", "s,file,a/file,", "file"],
      undefined,
    ],
    [
      "an absolute link through which the next entry goes",
      `ln -s / a`,
      ["a", "--transform", "s,file,a/file,", "file"],
      undefined,
    ],
  ])("that is hostile, with %s, makes nothing outside", async (_, script, args, refusal) => {
    const copy = join(directory, "copy");
    mkdirSync(copy);
    const tar = hostileTar(`${script}; echo evil > file`, args);
    const unpacked = unpack(new Root(copy), "/", chunksOf(tar));
    if (refusal !== undefined) await expect(unpacked).rejects.toThrow(refusal);
    else await unpacked;
    if (refusal === undefined) expect(readFileSync(join(copy, "file"), "utf8")).toBe("evil\n");
    expect(readdirSync(directory).sort()).toEqual(["copy", "made", "root", "secret"]);
  });

  it("whose hard link leads out of the root links what is inside, or fails", async () => {
    const copy = join(directory, "copy");
    mkdirSync(copy);
    symlinkSync("..", join(copy, "up"));
    const made = "echo a > file; ln file other; mkdir up; ln file up/secret";
    const tar = hostileTar(made, ["up/secret", "--transform", "flags=h;s,up/secret,up/../secret,", "file"]);
    await expect(unpack(new Root(copy), "/", chunksOf(tar))).rejects.toMatchObject({ code: "KATA_FILE" });
    expect(readFileSync(join(directory, "secret"), "utf8")).toBe("outside");
  });

  it("replaces files and links, and keeps directories", async () => {
    const copy = join(directory, "copy");
    mkdirSync(join(copy, "directory"), { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, "kept"), "kept");
    symlinkSync("../kept", join(copy, "file"));
    writeFileSync(join(copy, "directory", "old"), "old");
    const tar = hostileTar("echo new > file; mkdir directory; echo more > directory/more", ["file", "directory"]);
    await unpack(new Root(copy), "/", chunksOf(tar), { owner: { uid: 9, gid: 9 }, harmless: true });
    expect(readdirSync(join(copy, "directory")).sort()).toEqual(["more", "old"]);
    expect([readFileSync(join(copy, "file"), "utf8"), readFileSync(join(directory, "kept"), "utf8")]).toEqual([
      "new\n",
      "kept",
    ]);
    expect(statSync(join(copy, "file"))).toMatchObject({ uid: 9, gid: 9 });
  });

  it("of an author who is not trusted has no devices, and no rights of its own", async () => {
    execFileSync("mknod", [join(top, "null"), "c", "1", "3"]);
    writeFileSync(join(top, "su"), "", { mode: 0o755 });
    chmodSync(join(top, "su"), 0o6755);
    const warnings: string[] = [];
    const copy = join(directory, "copy");
    await copyTo(copy, { harmless: true, owner: { uid: 0, gid: 0 }, warn: (message) => warnings.push(message) });
    expect(readdirSync(join(copy, "tree"))).toEqual(["su"]);
    expect(statSync(join(copy, "tree", "su")).mode & 0o7777).toBe(0o755);
    expect(warnings).toEqual(["tree/null: its character is left out: EPERM"]);
  });

  it("has limits, and ends when it is to end", async () => {
    writeFileSync(join(top, "big"), "x".repeat(100_000));
    const copy = join(directory, "copy");
    await expect(copyTo(copy, { maxBytes: 50_000 })).rejects.toMatchObject({ errno: "EFBIG" });
    await expect(copyTo(copy, { maxEntries: 1 })).rejects.toMatchObject({ errno: "EFBIG" });
    await expect(copyTo(copy, { signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
    await expect(unpack(root, "/nowhere", content())).rejects.toMatchObject({ errno: "ENOENT" });
    await expect(unpack(root, "/", content("this is no tar"))).rejects.toMatchObject({ code: "KATA_TAR" });
  });

  it("of a file that becomes shorter meanwhile is whole all the same, and says so", async () => {
    writeFileSync(join(top, "log"), "x".repeat(600_000));
    const warnings: string[] = [];
    const pieces: Buffer[] = [];
    for await (const piece of pack(root, "/log", { warn: (message) => warnings.push(message) })) {
      pieces.push(piece);
      writeFileSync(join(top, "log"), "");
    }
    expect(Buffer.concat(pieces).length % 512).toBe(0);
    expect(warnings).toEqual([expect.stringMatching(/^log: became shorter by \d+ bytes/)]);
  });
});
