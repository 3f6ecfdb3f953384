import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openGuest } from "./open-guest.ts";

const VERSIONS = { suite: "trixie", day: "2026-01-02", kernel: { name: "linux-source-6.12", version: "6.12.1-1" } };

describe("openGuest", () => {
  let top = "";
  let directory = "";
  let recordFile = "";
  const at = (name: string): string => join(directory, name);
  const open = (): ReturnType<typeof openGuest> => openGuest({ directory, recordFile });

  function describeFile(content: string): { bytes: number; sha256: string } {
    return { bytes: Buffer.byteLength(content), sha256: createHash("sha256").update(content).digest("hex") };
  }

  function writeManifest(changes: object = {}): void {
    const described = { kernel: describeFile("a kernel"), image: describeFile("an image") };
    writeFileSync(at("guest.json"), JSON.stringify({ format: 1, ...described, versions: VERSIONS, ...changes }));
  }

  /** What the record would have if the file's content had been found to have this digest. */
  function identityOf(path: string): string {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(":");
  }

  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), "kata-guest-"));
    directory = join(top, "package");
    recordFile = join(top, "cache", "verified.json");
    mkdirSync(directory);
    writeFileSync(at("vmlinux"), "a kernel");
    writeFileSync(at("rootfs.ext4"), "an image");
    writeManifest();
  });
  afterEach(() => {
    rmSync(top, { recursive: true });
  });

  it("gives the files that have the digests of the manifest, and what they are made of", async () => {
    expect(await open()).toEqual({
      kernelPath: at("vmlinux"),
      imagePath: at("rootfs.ext4"),
      billOfMaterialsPath: at("sbom.cdx.json"),
      versions: VERSIONS,
    });
  });

  it("refuses a file of another digest, and of another size without reading it", async () => {
    writeFileSync(at("rootfs.ext4"), "AN image");
    await expect(open()).rejects.toMatchObject({
      code: "KATA_GUEST",
      message: expect.stringMatching(/rootfs\.ext4 has the digest [0-9a-f]{64}, not [0-9a-f]{64}$/) as string,
      hint: expect.stringContaining("npm install") as string,
    });
    appendFileSync(at("vmlinux"), "!");
    await expect(open()).rejects.toThrow(/vmlinux has 9 bytes, not 8$/);
  });

  it("reads a file once, until anything has written to it", async () => {
    await open();
    const record = JSON.parse(readFileSync(recordFile, "utf8")) as Record<string, object>;
    expect(Object.keys(record)).toEqual([at("vmlinux"), at("rootfs.ext4")]);
    // Of another content, which only reading would show.
    writeFileSync(at("rootfs.ext4"), "AN image");
    const { sha256 } = describeFile("an image");
    const known = { ...record, [at("rootfs.ext4")]: { identity: identityOf(at("rootfs.ext4")), sha256 } };
    writeFileSync(recordFile, JSON.stringify(known));
    await open();
    writeFileSync(at("rootfs.ext4"), "AN image");
    await expect(open()).rejects.toThrow(/has the digest/);
  });

  it.each([
    [
      "that others can write",
      () => {
        chmodSync(recordFile, 0o666);
      },
    ],
    [
      "in a directory that others can write",
      () => {
        chmodSync(join(top, "cache"), 0o777);
      },
    ],
    [
      "that is damaged",
      () => {
        appendFileSync(recordFile, "}");
      },
    ],
  ])("does not trust a record %s", async (_what, spoil) => {
    await open();
    writeFileSync(at("rootfs.ext4"), "AN image");
    const record = { [at("rootfs.ext4")]: { identity: identityOf(at("rootfs.ext4")), ...describeFile("an image") } };
    writeFileSync(recordFile, JSON.stringify(record));
    await open();
    spoil();
    await expect(open()).rejects.toThrow(/has the digest/);
  });

  it("works where no record can be written", async () => {
    writeFileSync(join(top, "cache"), "no directory");
    await open();
  });

  it("forgets files that are gone", async () => {
    await open();
    const other = join(top, "another");
    mkdirSync(other);
    for (const name of ["vmlinux", "rootfs.ext4", "guest.json"])
      writeFileSync(join(other, name), readFileSync(at(name)));
    rmSync(at("vmlinux"));
    await openGuest({ directory: other, recordFile });
    const record = JSON.parse(readFileSync(recordFile, "utf8")) as object;
    expect(Object.keys(record)).toEqual([at("rootfs.ext4"), join(other, "vmlinux"), join(other, "rootfs.ext4")]);
  });

  it.each([
    ["a later format", { format: 2 }, /guest\.json\.format is not format 1/],
    ["a digest that is none", { kernel: { bytes: 8, sha256: "../.." } }, /kernel\.sha256 is not a SHA-256 digest/],
  ])("refuses a manifest with %s", async (_what, changes, message) => {
    writeManifest(changes);
    await expect(open()).rejects.toThrow(message);
  });

  it.each(["guest.json", "vmlinux", "rootfs.ext4"])("names %s where it is missing", async (name) => {
    rmSync(at(name));
    await expect(open()).rejects.toMatchObject({
      code: "KATA_GUEST",
      message: expect.stringContaining(name) as string,
    });
  });

  it("does nothing with a signal that is aborted", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(openGuest({ directory, recordFile, signal })).rejects.toThrow("enough");
  });
});
