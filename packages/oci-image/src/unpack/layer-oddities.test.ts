import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { constants, createGzip, zstdCompressSync } from "node:zlib";
import { Header } from "tar";
import { describe, expect, it } from "vitest";
import { digestOf, layerBoxes } from "../../test/layer-box.ts";
import { blocksOf, paxRecords, tarOf, withData } from "../../test/tar.ts";

const END = Buffer.alloc(1024);

describe("a layer out of the ordinary", () => {
  const box = layerBoxes();

  it.each([
    ["an empty tar", END],
    ["no bytes", Buffer.alloc(0)],
    ["a tar without an end", Buffer.concat(blocksOf({ path: "only", text: "1" }))],
    [
      "a tar without the padding of its last file",
      Buffer.concat(blocksOf({ path: "only", text: "1" })).subarray(0, 513),
    ],
    ["a tar with a part of that padding", Buffer.concat(blocksOf({ path: "only", text: "1" })).subarray(0, 600)],
    ["bytes behind its end", Buffer.concat([END, Buffer.alloc(4096, "x")])],
  ])("%s has what it has", async (_, tar) => {
    await box().applyTar(tar);
    expect(readdirSync(box().root)).toEqual(tar.includes("only") ? ["only"] : []);
    if (tar.includes("only")) expect(readFileSync(join(box().root, "only"), "utf8")).toBe("1");
  });

  it("keeps names, targets and attributes byte by byte, and merges none", async () => {
    const name = (byte: number): Buffer => Buffer.from([0x61, byte, 0x62]);
    const bytes = (text: string): string => Buffer.from(text).toString("latin1");
    await box().applyTar(
      Buffer.concat([
        ...blocksOf({ path: "x", text: "1", pax: { path: name(0xfe) } }),
        ...blocksOf({ path: "x", text: "2", pax: { path: name(0xff) } }),
        ...blocksOf({ path: "x", type: "SymbolicLink", linkpath: "y", pax: { path: "link", linkpath: name(0xff) } }),
        ...blocksOf({ path: "x", type: "Link", linkpath: "y", pax: { path: "same", linkpath: name(0xfe) } }),
        ...blocksOf({ path: "dir/ü\n", text: "3" }),
        ...blocksOf({ path: "x", pax: { path: "a", "SCHILY.xattr.user.é": "1", "SCHILY.xattr.user.=": "2" } }),
        END,
      ]),
    );
    const names = readdirSync(box().root, { encoding: "latin1" }).sort();
    expect(names).toEqual(["a", "a\xfeb", "a\xffb", "dir", "link", "same"]);
    expect(readFileSync(Buffer.concat([Buffer.from(`${box().root}/`), name(0xff)]), "utf8")).toBe("2");
    expect(readFileSync(join(box().root, "link"), "utf8")).toBe("2");
    expect(readFileSync(join(box().root, "same"), "utf8")).toBe("1");
    expect(readdirSync(join(box().root, "dir"), { encoding: "latin1" })).toEqual([bytes("ü\n")]);
  });

  it("gives links and directories no content, whatever size they claim", async () => {
    const header = (data: object): Buffer => {
      const block = Buffer.alloc(512);
      new Header({ path: "x", mode: 0o755, size: 700, ...data }).encode(block);
      return block;
    };
    const links = [
      header({ path: "dir", type: "Directory" }),
      header({ path: "symbolic", type: "SymbolicLink", linkpath: "file" }),
      header({ path: "hard", type: "Link", linkpath: "file" }),
    ];
    await box().applyTar(
      Buffer.concat([...blocksOf({ path: "file", text: "1" }), ...links, ...blocksOf({ path: "last" }), END]),
    );
    expect(readdirSync(box().root).sort()).toEqual(["dir", "file", "hard", "last", "symbolic"]);
  });

  it.each(["Z", "M", "N", "A", "\x01"])("is refused with an entry of the type %j", async (type) => {
    const [block = Buffer.alloc(0)] = blocksOf({ path: "x" });
    block.write(type, 156, "latin1");
    const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    await expect(box().applyTar(Buffer.concat([block, END]))).rejects.toMatchObject({
      code: "KATA_IMAGE_LAYER",
      message: expect.stringContaining("of the unknown type") as string,
    });
  });

  it.each<[string, Buffer[]]>([
    ["a number that is none", [Buffer.from(blocksOf({ path: "x", pax: { size: "1x" } })[1] ?? "")]],
    ["a negative size", [paxRecords({ size: "-1" })]],
    ["a user id that no user has", [paxRecords({ uid: "4294967295" })]],
    ["a name that ends in its middle", [paxRecords({ path: "a\0b" })]],
    ["an attribute's name that ends in its middle", [paxRecords({ "SCHILY.xattr.user.a\0b": "1" })]],
    ["records that are none", [Buffer.from("hello")]],
    ["records that are cut", [Buffer.from("99 path=x\n")]],
    ["a sparse file of a later version", [paxRecords({ "GNU.sparse.major": "2", "GNU.sparse.minor": "0" })]],
    ["a sparse file whose runs overlap", [paxRecords({ "GNU.sparse.size": "9", "GNU.sparse.map": "0,2,1,2" })]],
    ["a sparse file whose runs lie outside", [paxRecords({ "GNU.sparse.size": "9", "GNU.sparse.map": "8,4" })]],
    ["a sparse file with other data", [paxRecords({ "GNU.sparse.size": "9", "GNU.sparse.map": "0,3" })]],
    ["a sparse file whose map is cut", [paxRecords({ "GNU.sparse.size": "9", "GNU.sparse.map": "0" })]],
  ])("is refused with %s", async (_, [records = Buffer.alloc(0)]) => {
    const tar = Buffer.concat([
      ...withData({ path: "pax", type: "ExtendedHeader" }, records),
      ...blocksOf({ path: "x", text: "1234" }),
      END,
    ]);
    await expect(box().applyTar(tar)).rejects.toMatchObject({ code: "KATA_IMAGE_LAYER" });
  });

  it.each([
    ["GNU's own", ["--format=gnu"]],
    ["pax 0.0", ["--format=posix", "--sparse-version=0.0"]],
    ["pax 0.1", ["--format=posix", "--sparse-version=0.1"]],
    ["pax 1.0", ["--format=posix", "--sparse-version=1.0"]],
  ])("has sparse files as they were, in the format: %s", async (_, format) => {
    const source = join(box().directory, "source");
    mkdirSync(source);
    const write = (name: string, size: number, runs: readonly (readonly [number, string])[]): void => {
      const file = openSync(join(source, name), "w");
      for (const [offset, text] of runs) writeSync(file, text, offset);
      closeSync(file);
      truncateSync(join(source, name), size);
    };
    const far = Array.from({ length: 60 }, (_, n) => [n * 65_536, `run ${String(n)}`] as const);
    write("many", 61 * 65_536, far);
    write("hole", 3_000_000, []);
    write("end", 2_000_000, [[1_999_990, "0123456789"]]);
    write("plain", 5, [[0, "plain"]]);
    execFileSync("tar", ["--sparse", ...format, "-C", source, "-cf", box().file, "many", "hole", "end", "plain"]);
    const tar = readFileSync(box().file);
    await box().applyTar(tar, 1e8);
    for (const name of readdirSync(source)) {
      const [made, wanted] = [join(box().root, name), join(source, name)];
      expect(digestOf(readFileSync(made)), name).toBe(digestOf(readFileSync(wanted)));
      if (name !== "plain") expect(statSync(made).blocks * 512, name).toBeLessThan(statSync(made).size);
    }
    expect(readdirSync(box().root).sort()).toEqual(["end", "hole", "many", "plain"]);
    rmSync(source, { recursive: true });
  });

  it("counts all that it decompresses: headers, what is left out, and holes", async () => {
    const header = { path: "x", pax: { "SCHILY.xattr.user.x": "y".repeat(60_000) } };
    await expect(box().apply(Array<typeof header>(20).fill(header), { bytes: 1e6 })).rejects.toThrow(
      "larger than it may",
    );
    const hole = {
      path: "hole",
      pax: { "GNU.sparse.size": "2000000000", "GNU.sparse.map": "1999999999,1" },
      text: "x",
    };
    await expect(box().apply([hole])).rejects.toThrow("larger than it may");
    await expect(box().applyTar(Buffer.concat([END, Buffer.alloc(2e6)]))).rejects.toThrow("larger than it may");
  });

  it("is refused before much is read of a header that goes on for ever", async () => {
    const head = Buffer.alloc(512);
    new Header({ path: "pax", type: "ExtendedHeader", size: 4 * 2 ** 30 }).encode(head);
    const endless = async function* (): AsyncGenerator<Buffer> {
      yield head;
      const zeros = Buffer.alloc(2 ** 20);
      for (let n = 0; n < 256; n += 1) yield zeros;
    };
    await pipeline(endless, createGzip({ level: constants.Z_BEST_SPEED }), async (chunks: AsyncIterable<Buffer>) => {
      const pieces: Buffer[] = [];
      for await (const chunk of chunks) pieces.push(chunk);
      writeFileSync(box().file, Buffer.concat(pieces));
    });
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(box().file)) hash.update(chunk as Buffer);
    await expect(box().applyFile(1e6)).rejects.toThrow(/4294967296 bytes, more than 1 MiB/);
  });

  it.each([
    ["xz", "fd377a585a00000004e6"],
    ["bzip2", "425a6839314159265359"],
    ["lz4", "04224d186040825200"],
    ["lzma", "5d00008000ffffffff"],
    ["zip", "504b03041400000008"],
  ])("says that it does not know %s", async (name, magic) => {
    writeFileSync(box().file, Buffer.from(magic, "hex"));
    await expect(box().applyFile()).rejects.toMatchObject({
      code: "KATA_IMAGE_LAYER",
      message: expect.stringContaining(`compression unknown: ${name}`) as string,
    });
  });

  it("takes no tar for compressed whose first file is named so", async () => {
    await box().apply([{ path: "BZh9", text: "1" }]);
    expect(readdirSync(box().root)).toEqual(["BZh9"]);
  });

  it("may begin with a zstd frame that is to be skipped, and have several", async () => {
    const tar = tarOf([{ path: "x", text: "1" }]);
    const skipped = Buffer.concat([Buffer.from("5a2a4d1804000000", "hex"), Buffer.from("skip")]);
    const frames = [
      skipped,
      zstdCompressSync(tar.subarray(0, 700)),
      skipped,
      zstdCompressSync(tar.subarray(700)),
      skipped,
    ];
    writeFileSync(box().file, Buffer.concat(frames));
    await box().applyFile(1e6, digestOf(tar));
    expect(readFileSync(join(box().root, "x"), "utf8")).toBe("1");
  });

  it("says of a global header that it is not applied, unless it is a comment", async () => {
    const global = (records: Record<string, string>): Buffer[] =>
      withData({ path: "pax", type: "GlobalExtendedHeader" }, paxRecords(records));
    const warnings: string[] = [];
    const tar = Buffer.concat([
      ...global({ comment: "git" }),
      ...global({ uid: "5" }),
      ...blocksOf({ path: "x" }),
      END,
    ]);
    writeFileSync(box().file, tar);
    await box().applyFile(1e6, digestOf(tar), warnings);
    expect(warnings).toEqual(["a global header is not applied: uid"]);
    expect(statSync(join(box().root, "x")).uid).toBe(7);
  });
});
