import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
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
import { blocksOf, type Entry, paxRecords, tarOf, withData } from "../../test/tar.ts";
import { applyLayer } from "./layer.ts";

/** By a program that is not ours. */
function attributesOf(path: string): Record<string, string> {
  const program =
    "import os, sys, json; p = sys.argv[1]; print(json.dumps({n: os.getxattr(p, n, follow_symlinks=False).hex() for n in os.listxattr(p, follow_symlinks=False)}))";
  return JSON.parse(execFileSync("python3", ["-c", program, path], { encoding: "utf8" })) as Record<string, string>;
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

  async function applyTar(tar: Buffer, bytes = 1e6): Promise<void> {
    writeFileSync(join(directory, "layer"), tar);
    const budget = { bytes, entries: 100 };
    await applyLayer(root, join(directory, "layer"), { name: "layer", diffId: digestOf(tar), budget });
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

  it("has named pipes and devices, which are opened by nobody here", async () => {
    await apply([
      { path: "dev/null", type: "CharacterDevice", device: [1, 3], mode: 0o666 },
      { path: "dev/disk", type: "BlockDevice", device: [259, 70_000] },
      { path: "dev/pipe", type: "FIFO", mode: 0o620 },
    ]);
    const shown = execFileSync("stat", ["-c", "%n %F %t:%T %a %u", "null", "disk", "pipe"], {
      cwd: join(root, "dev"),
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
    await apply(
      [
        { path: "volume", type: "TapeVolumeHeader" },
        { path: "x", text: "1" },
      ],
      { warnings },
    );
    expect(text("x")).toBe("1");
    expect(readdirSync(root)).toEqual(["x"]);
  });

  describe("with extended attributes", () => {
    // cap_net_raw+ep, revision 2: bytes that are no UTF-8.
    const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
    const binary = Buffer.from([0xff, 0x0a, 0x00, 0x3d, 0xfe]);

    it("restores them, byte by byte, each to its own entry", async () => {
      const warnings: string[] = [];
      const entries: Entry[] = [
        { path: "none", text: "x".repeat(700) },
        { path: "tape", type: "TapeVolumeHeader", pax: { "SCHILY.xattr.user.lost": "1" } },
        { path: "ping", text: "x", mode: 0o755, pax: { "SCHILY.xattr.security.capability": capability } },
        { path: "same", type: "Link", linkpath: "ping", pax: { "SCHILY.xattr.user.of-a-link": "1" } },
        { path: "dir/", type: "Directory", mode: 0o755, pax: { "SCHILY.xattr.user.a": binary, path: "dir/" } },
        { path: "plain", text: "y" },
        {
          path: "host",
          text: "z",
          pax: { "SCHILY.xattr.trusted.overlay.opaque": "y", "SCHILY.xattr.security.selinux": "label" },
        },
        { path: "long", text: "w", pax: { path: `long/${"n".repeat(200)}`, "SCHILY.xattr.user.b": "" } },
      ];
      await apply(entries, { warnings, compress: gzipSync });
      expect(attributesOf(join(root, "ping"))).toEqual({ "security.capability": capability.toString("hex") });
      expect(attributesOf(join(root, "dir"))).toEqual({ "user.a": binary.toString("hex") });
      expect(attributesOf(join(root, "long", "n".repeat(200)))).toEqual({ "user.b": "" });
      for (const name of ["none", "plain", "host"]) expect(attributesOf(join(root, name)), name).toEqual({});
      expect(warnings).toEqual(['host: extended attribute "trusted.overlay.opaque" is not restored']);
    });

    it("finds them behind a file whose size only its pax header tells", async () => {
      const [header, data] = [Buffer.alloc(512), Buffer.alloc(1024, "d")];
      new Header({ path: "big", type: "File", size: 0, mode: 0o644 }).encode(header);
      const before = withData({ path: "pax", type: "ExtendedHeader" }, paxRecords({ size: "1024" }));
      const behind = blocksOf({ path: "next", text: "n", pax: { "SCHILY.xattr.user.c": "1" } });
      await applyTar(Buffer.concat([...before, header, data, ...behind, Buffer.alloc(1024)]));
      expect(statSync(join(root, "big")).size).toBe(1024);
      expect(attributesOf(join(root, "next"))).toEqual({ "user.c": "31" });
    });

    it("is refused when they are more than may wait for their entries", async () => {
      const pax = Object.fromEntries(
        Array.from({ length: 15 }, (_, n) => [`SCHILY.xattr.user.${String(n)}`, "x".repeat(60_000)]),
      );
      // Two readers that disagree about a size: what is a file's content to one are headers to the other.
      const inside = Buffer.concat(
        Array.from({ length: 12 }, (_, n) => blocksOf({ path: `f${String(n)}`, pax })).flat(),
      );
      const global = withData(
        { path: "pax", type: "GlobalExtendedHeader" },
        paxRecords({ size: String(inside.length) }),
      );
      const header = Buffer.alloc(512);
      new Header({ path: "outer", type: "File", size: 0, mode: 0o644 }).encode(header);
      const tar = Buffer.concat([...global, header, inside, Buffer.alloc(1024)]);
      await expect(applyTar(tar, 1e9)).rejects.toThrow("more extended attributes than it may");
    });
  });

  it("ends in the middle of a file when its compression does, and when it is told to", async () => {
    const tar = tarOf([{ path: "x", text: randomBytes(150_000).toString("hex") }]);
    writeFileSync(join(directory, "layer"), gzipSync(tar).subarray(0, 100_000));
    const options = { name: "layer", budget: { bytes: 1e6, entries: 9 } };
    await expect(applyLayer(root, join(directory, "layer"), options)).rejects.toMatchObject({
      code: "KATA_IMAGE_LAYER",
      message: expect.stringContaining("unexpected end of file") as string,
    });
    rmSync(join(root, "x"), { force: true });

    writeFileSync(join(directory, "layer"), tar);
    const abort = new AbortController();
    const applying = applyLayer(root, join(directory, "layer"), { ...options, signal: abort.signal });
    applying.catch(() => undefined);
    while (!existsSync(join(root, "x"))) await new Promise(setImmediate);
    abort.abort(new Error("told to"));
    await expect(applying).rejects.toThrow("told to");
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
