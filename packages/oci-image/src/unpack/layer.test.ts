import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Header } from "tar";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyLayer } from "./layer.ts";

interface Entry {
  readonly path: string;
  readonly type?: "File" | "Directory" | "SymbolicLink" | "Link" | "CharacterDevice";
  readonly linkpath?: string;
  readonly text?: string;
  readonly mode?: number;
}

function tarOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, type = "File", linkpath = "", text = "", mode = 0o644 }) => {
    const header = new Header({ path, type, linkpath, mode, size: text.length, uid: 7, gid: 8, mtime: new Date(1e12) });
    const block = Buffer.alloc(512);
    header.encode(block);
    const data = Buffer.alloc(Math.ceil(text.length / 512) * 512);
    data.write(text);
    return [block, data];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function digestOf(data: Buffer): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

describe("a layer", () => {
  let directory = "";
  let root = "";
  const outside = (): string => join(directory, "outside");

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-layer-"));
    root = join(directory, "root");
    mkdirSync(root);
    mkdirSync(outside());
    writeFileSync(join(outside(), "secret"), "untouched");
  });

  afterEach(() => {
    // Whatever the layer was: what is beside the root is as it was.
    expect(readdirSync(directory).sort()).toEqual(["layer", "outside", "root"]);
    expect(readdirSync(outside())).toEqual(["secret"]);
    expect(readFileSync(join(outside(), "secret"), "utf8")).toBe("untouched");
    rmSync(directory, { recursive: true });
  });

  async function apply(
    entries: readonly Entry[],
    { compress = (data: Buffer): Buffer => data, bytes = 1e6, count = 100, warnings = [] as string[] } = {},
  ): Promise<void> {
    const tar = tarOf(entries);
    writeFileSync(join(directory, "layer"), compress(tar));
    await applyLayer(root, join(directory, "layer"), {
      name: "layer",
      diffId: digestOf(tar),
      budget: { bytes, entries: count },
      warn: (message) => warnings.push(message),
    });
  }

  const text = (path: string): string => readFileSync(join(root, path), "utf8");

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
    await apply(entries, { compress });
    const { mode, uid, gid, mtimeMs, ino, nlink } = statSync(join(root, "bin/tool"));
    expect({ mode: mode & 0o7777, uid, gid, mtimeMs, nlink }).toEqual({
      mode: 0o4755,
      uid: 7,
      gid: 8,
      mtimeMs: 1e12,
      nlink: 2,
    });
    expect(statSync(join(root, "bin/same")).ino).toBe(ino);
    expect(text("bin/late")).toBe("through a link");
    expect(statSync(join(root, "bin")).mtimeMs).toBe(1e12);
  });

  it("takes away what layers below have, by whiteouts, and nothing of its own", async () => {
    await apply([
      { path: "a/old", text: "1" },
      { path: "b/old", text: "2" },
      { path: "b/sub/old", text: "3" },
      { path: "c", text: "4" },
    ]);
    await apply([
      { path: "a/new", text: "5" },
      { path: "a/.wh.new" },
      { path: "a/.wh.old" },
      { path: "b/sub/new", text: "6" },
      { path: "b/.wh..wh..opq" },
      { path: ".wh.c" },
    ]);
    expect(readdirSync(root, { recursive: true }).sort()).toEqual(["a", "a/new", "b", "b/sub", "b/sub/new"]);
  });

  it("replaces a directory by a link, and a link by a file", async () => {
    await apply([
      { path: "etc/x", text: "1" },
      { path: "l", type: "SymbolicLink", linkpath: "../outside/secret" },
    ]);
    await apply([
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
  ])("stays inside, whatever it has: %s", async (_, entries) => {
    await apply(entries).catch(() => undefined);
  });

  it("makes no hard link to what is outside", async () => {
    const link: Entry[] = [
      { path: "l", type: "SymbolicLink", linkpath: "../outside" },
      { path: "h", type: "Link", linkpath: "l/secret" },
      { path: "h", text: "changed" },
    ];
    await expect(apply(link)).rejects.toMatchObject({ code: "KATA_IMAGE_LAYER" });
    expect(existsSync(join(root, "h"))).toBe(false);
  });

  it.each([".wh.", ".wh..", ".wh..."])("is refused with a whiteout that names nothing: %s", async (path) => {
    await expect(apply([{ path: `a/${path}` }])).rejects.toMatchObject({ code: "KATA_IMAGE_LAYER" });
  });

  it("is refused when links go round", async () => {
    const round: Entry[] = [
      { path: "a", type: "SymbolicLink", linkpath: "b" },
      { path: "b", type: "SymbolicLink", linkpath: "a" },
      { path: "a/x", text: "" },
    ];
    await expect(apply(round)).rejects.toThrow("too many links");
  });

  it("is refused when it takes more than it may", async () => {
    await expect(apply([{ path: "x", text: "12345" }], { bytes: 4 })).rejects.toThrow("larger than it may be");
    await expect(apply([{ path: "x" }, { path: "y" }], { count: 1 })).rejects.toThrow("larger than it may be");
  });

  it("leaves devices out, and says so", async () => {
    const warnings: string[] = [];
    await apply(
      [
        { path: "dev/sda", type: "CharacterDevice" },
        { path: "x", text: "1" },
      ],
      { warnings },
    );
    expect(warnings).toEqual(["dev/sda: CharacterDevice is left out"]);
    expect(text("x")).toBe("1");
  });

  it("is refused when it is not what its digest says, or no tar at all", async () => {
    const file = join(directory, "layer");
    const diffId = digestOf(Buffer.from("something else"));
    for (const data of [
      tarOf([{ path: "x", text: "1" }]),
      gzipSync("nonsense").subarray(0, 15),
      Buffer.from("nonsense"),
    ]) {
      writeFileSync(file, data);
      const applying = applyLayer(root, file, { name: "layer", diffId, budget: { bytes: 1e6, entries: 9 } });
      await expect(applying).rejects.toMatchObject({
        code: expect.stringMatching(/^KATA_IMAGE_(?:DIGEST|LAYER)$/) as string,
      });
    }
  });
});
