import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { digestOf, layerBoxes } from "../../test/layer-box.ts";
import { type Entry, tarOf } from "../../test/tar.ts";
import { applyLayer } from "./layer.ts";

describe("a layer", () => {
  const box = layerBoxes();
  const text = (path: string): string => readFileSync(join(box().root, path), "utf8");

  it.each([
    ["as it is", (data: Buffer) => data],
    ["by gzip", (data: Buffer) => gzipSync(data)],
    ["by zstd", (data: Buffer) => zstdCompressSync(data)],
  ])("is unpacked with owners, modes, times and links, compressed %s", async (_, compress) => {
    const entries: Entry[] = [
      { path: "bin/", type: "Directory", mode: 0o755 },
      { path: "bin/tool", text: "x".repeat(2000), mode: 0o4755 },
      { path: "bin/same", type: "Link", linkpath: "bin/tool" },
      { path: "sbin", type: "SymbolicLink", linkpath: "bin" },
      { path: "sbin/late", text: "through a link" },
    ];
    await box().apply(entries, { compress });
    const { mode, uid, gid, mtimeMs, ino, nlink } = statSync(join(box().root, "bin/tool"));
    expect({ mode: mode & 0o7777, uid, gid, mtimeMs, nlink }).toEqual({
      mode: 0o4755,
      uid: 7,
      gid: 8,
      mtimeMs: 1e12,
      nlink: 2,
    });
    expect(statSync(join(box().root, "bin/same")).ino).toBe(ino);
    expect(text("bin/late")).toBe("through a link");
    expect(statSync(join(box().root, "bin")).mtimeMs).toBe(1e12);
  });

  it("takes away what layers below have, by whiteouts, and nothing of its own", async () => {
    await box().apply([
      { path: "a/old", text: "1" },
      { path: "b/old", text: "2" },
      { path: "b/sub/old", text: "3" },
      { path: "c", text: "4" },
    ]);
    await box().apply([
      { path: "a/new", text: "5" },
      { path: "a/.wh.new" },
      { path: "a/.wh.old" },
      { path: "b/sub/new", text: "6" },
      { path: "b/.wh..wh..opq" },
      { path: ".wh.c" },
    ]);
    expect(readdirSync(box().root, { recursive: true }).sort()).toEqual(["a", "a/new", "b", "b/sub", "b/sub/new"]);
  });

  it("leaves a directory that it says nothing of the time that it had", async () => {
    await box().apply([
      { path: "a/", type: "Directory" },
      { path: "a/old", text: "1" },
      { path: "b/", type: "Directory" },
    ]);
    await box().apply([{ path: "a/new", text: "2" }, { path: "a/.wh.old" }, { path: "b", text: "a file now" }]);
    expect(readdirSync(join(box().root, "a"))).toEqual(["new"]);
    expect(["a", "b"].map((name) => statSync(join(box().root, name)).mtimeMs)).toEqual([1e12, 1e12]);
  });

  it("replaces a directory by a link, and a link by a file", async () => {
    await box().apply([
      { path: "etc/x", text: "1" },
      { path: "l", type: "SymbolicLink", linkpath: "../outside/secret" },
    ]);
    await box().apply([
      { path: "etc", type: "SymbolicLink", linkpath: "/" },
      { path: "l", text: "a file" },
      { path: "etc/y", text: "2" },
    ]);
    expect(text("l")).toBe("a file");
    expect(text("y")).toBe("2");
  });

  it.each<[string, readonly Entry[]]>([
    ["names with ..", [{ path: "../outside/secret", text: "changed" }]],
    ["absolute names", [{ path: "/outside/secret", text: "changed" }]],
    [
      "a link to a directory outside",
      [
        { path: "l", type: "SymbolicLink", linkpath: "../outside" },
        { path: "l/secret", text: "changed" },
      ],
    ],
    [
      "a whiteout through a link",
      [{ path: "l", type: "SymbolicLink", linkpath: "../outside" }, { path: "l/.wh.secret" }],
    ],
    [
      "an opaque directory through a link",
      [{ path: "l", type: "SymbolicLink", linkpath: "../outside" }, { path: "l/.wh..wh..opq" }],
    ],
    [
      "a directory over a link",
      [
        { path: "l", type: "SymbolicLink", linkpath: "../outside" },
        { path: "l/", type: "Directory", mode: 0 },
      ],
    ],
    [
      "a link in the place of a directory whose directories get their times at the end",
      [
        { path: "l/", type: "Directory" },
        { path: "l/secret/", type: "Directory" },
        { path: "l", type: "SymbolicLink", linkpath: "../outside" },
      ],
    ],
  ])("stays inside, whatever it has: %s", async (_, entries) => {
    await box()
      .apply(entries)
      .catch(() => undefined);
  });

  it("makes no hard link to what is outside", async () => {
    const link: Entry[] = [
      { path: "l", type: "SymbolicLink", linkpath: "../outside" },
      { path: "h", type: "Link", linkpath: "l/secret" },
      { path: "h", text: "changed" },
    ];
    await expect(box().apply(link)).rejects.toMatchObject({ code: "KATA_IMAGE_LAYER" });
    expect(existsSync(join(box().root, "h"))).toBe(false);
  });

  it.each([".wh.", ".wh..", ".wh..."])("is refused with a whiteout that names nothing: %s", async (path) => {
    await expect(box().apply([{ path: `a/${path}` }])).rejects.toMatchObject({ code: "KATA_IMAGE_LAYER" });
  });

  it("is refused when links go round", async () => {
    const round: Entry[] = [
      { path: "a", type: "SymbolicLink", linkpath: "b" },
      { path: "b", type: "SymbolicLink", linkpath: "a" },
      { path: "a/x", text: "" },
    ];
    await expect(box().apply(round)).rejects.toThrow("too many links");
  });

  it("is refused when it takes more than it may", async () => {
    await expect(box().apply([{ path: "x", text: "12345" }], { bytes: 4 })).rejects.toThrow("larger than it may be");
    await expect(box().apply([{ path: "x" }, { path: "y" }], { count: 1 })).rejects.toThrow("larger than it may be");
  });

  it("has named pipes and devices, which are never opened here", async () => {
    await box().apply([
      { path: "dev/null", type: "CharacterDevice", device: [1, 3], mode: 0o666 },
      { path: "dev/disk", type: "BlockDevice", device: [259, 70_000] },
      { path: "dev/pipe", type: "FIFO", mode: 0o620 },
    ]);
    const shown = execFileSync("stat", ["-c", "%n %F %t:%T %a %u", "null", "disk", "pipe"], {
      cwd: join(box().root, "dev"),
      encoding: "utf8",
    });
    expect(shown.trim().split("\n")).toEqual([
      "null character special file 1:3 666 7",
      "disk block special file 103:11170 644 7",
      "pipe fifo 0:0 620 7",
    ]);
  });

  it("leaves out what it does not know, and says so", async () => {
    const warnings: string[] = [];
    await box().apply(
      [
        { path: "volume", type: "TapeVolumeHeader" },
        { path: "x", text: "1" },
      ],
      { warnings },
    );
    expect(text("x")).toBe("1");
    expect(readdirSync(box().root)).toEqual(["x"]);
  });

  it("ends in the middle of a file when its compression does, and when its signal aborts", async () => {
    const tar = tarOf([{ path: "x", text: randomBytes(150_000).toString("hex") }]);
    writeFileSync(box().file, gzipSync(tar).subarray(0, 100_000));
    const options = { name: "layer", budget: { bytes: 1e6, entries: 9 } };
    await expect(applyLayer(box().root, box().file, options)).rejects.toMatchObject({
      code: "KATA_IMAGE_LAYER",
      message: expect.stringContaining("unexpected end of file") as string,
    });
    rmSync(join(box().root, "x"), { force: true });

    writeFileSync(box().file, tar);
    const abort = new AbortController();
    const applying = applyLayer(box().root, box().file, { ...options, signal: abort.signal });
    applying.catch(() => undefined);
    while (!existsSync(join(box().root, "x"))) await new Promise(setImmediate);
    abort.abort(new Error("told to"));
    await expect(applying).rejects.toThrow("told to");
  });

  it("is refused when it is not what its digest says, or no tar at all", async () => {
    const file = box().file;
    const diffId = digestOf(Buffer.from("something else"));
    for (const data of [
      tarOf([{ path: "x", text: "1" }]),
      gzipSync("nonsense").subarray(0, 15),
      Buffer.from("nonsense"),
    ]) {
      writeFileSync(file, data);
      const applying = applyLayer(box().root, file, { name: "layer", diffId, budget: { bytes: 1e6, entries: 9 } });
      await expect(applying).rejects.toMatchObject({
        code: expect.stringMatching(/^KATA_IMAGE_(?:DIGEST|LAYER)$/) as string,
      });
    }
  });
});
