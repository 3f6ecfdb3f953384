import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Header } from "tar";
import { describe, expect, it } from "vitest";
import { layerBoxes } from "../../test/layer-box.ts";
import { blocksOf, type Entry, paxRecords, withData } from "../../test/tar.ts";

/** By a program that is not ours. */
function attributesOf(path: string): Record<string, string> {
  const program =
    "import os, sys, json; p = sys.argv[1]; print(json.dumps({n: os.getxattr(p, n, follow_symlinks=False).hex() for n in os.listxattr(p, follow_symlinks=False)}))";
  return JSON.parse(execFileSync("python3", ["-c", program, path], { encoding: "utf8" })) as Record<string, string>;
}

describe("a layer with extended attributes", () => {
  const box = layerBoxes();
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
    await box().apply(entries, { warnings, compress: gzipSync });
    expect(attributesOf(join(box().root, "ping"))).toEqual({ "security.capability": capability.toString("hex") });
    expect(attributesOf(join(box().root, "dir"))).toEqual({ "user.a": binary.toString("hex") });
    expect(attributesOf(join(box().root, "long", "n".repeat(200)))).toEqual({ "user.b": "" });
    for (const name of ["none", "plain", "host"]) expect(attributesOf(join(box().root, name)), name).toEqual({});
    expect(warnings).toEqual([
      "the archive's label is left out",
      'host: extended attribute "trusted.overlay.opaque" is not restored',
    ]);
  });

  it("finds them behind a file whose size only its pax header has", async () => {
    const [header, data] = [Buffer.alloc(512), Buffer.alloc(1024, "d")];
    new Header({ path: "big", type: "File", size: 0, mode: 0o644 }).encode(header);
    const before = withData({ path: "pax", type: "ExtendedHeader" }, paxRecords({ size: "1024" }));
    const behind = blocksOf({ path: "next", text: "n", pax: { "SCHILY.xattr.user.c": "1" } });
    await box().applyTar(Buffer.concat([...before, header, data, ...behind, Buffer.alloc(1024)]));
    expect(statSync(join(box().root, "big")).size).toBe(1024);
    expect(attributesOf(join(box().root, "next"))).toEqual({ "user.c": "31" });
  });

  it("is refused when a header holds more than a header may", async () => {
    const pax = { "SCHILY.xattr.user.big": Buffer.alloc(2 ** 20) };
    await expect(box().apply([{ path: "x", pax }], { bytes: 1e9 })).rejects.toThrow("more than 1 MiB");
  });
});
