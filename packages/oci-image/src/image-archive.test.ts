import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../test/layer-box.ts";
import { openImage } from "./image.ts";

const AMD64 = { os: "linux", architecture: "amd64" };

describe("openImage, of an archive", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-image-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const open = (from: Parameters<typeof openImage>[0], options: object = {}) =>
    openImage(from, { cacheDir: join(directory, "cache"), ...options });

  it("finds an image of an archive by its name as Docker reads it, moves it into the cache, and makes it ours", async () => {
    const content = join(directory, "content");
    const archive = join(directory, "archive.tar");
    mkdirSync(content);
    const write = (name: string, text: string): void => {
      writeFileSync(join(content, name), text, { mode: 0o666 });
      chownSync(join(content, name), 7, 7);
    };
    write("one.tar", "no tar, one");
    write("two.tar", "no tar, two");
    for (const [name, author] of [
      ["one", "1"],
      ["two", "2"],
    ] as const) {
      const rootfs = { type: "layers", diff_ids: [digestOf(Buffer.from(`no tar, ${name}`))] };
      write(`${name}.json`, JSON.stringify({ ...AMD64, config: { Labels: { author } }, rootfs }));
    }
    const entry = (name: string, ...tags: string[]): object => ({
      Config: `${name}.json`,
      RepoTags: tags,
      Layers: [`${name}.tar`],
    });
    write(
      "manifest.json",
      JSON.stringify([entry("one", "alpine:3.20", "me/one:latest"), entry("two", "ghcr.io/a/b:1")]),
    );
    execFileSync("tar", ["-C", content, "-cf", archive, ...readdirSync(content)]);
    for (const [tag, author] of [
      ...[
        ["alpine:3.20", "1"],
        ["docker.io/library/alpine:3.20", "1"],
        ["index.docker.io/me/one", "1"],
      ],
      ...[
        ["me/one", "1"],
        ["ghcr.io/a/b:1", "2"],
      ],
    ] as const) {
      const opened = await open({ archive, tag }, { platform: AMD64 });
      expect(opened.config.config?.Labels, tag).toEqual({ author });
    }
    await expect(open({ archive }, { platform: AMD64 })).rejects.toThrow("several images: name one (has alpine:3.20, ");
    await expect(open({ archive, tag: "b:1" }, { platform: AMD64 })).rejects.toThrow("no such image");
    const blobs = join(directory, "cache/blobs/sha256");
    expect(readdirSync(blobs)).toHaveLength(6);
    for (const name of readdirSync(blobs)) {
      const { uid, mode } = statSync(join(blobs, name));
      expect({ uid, mode: mode & 0o022 }).toEqual({ uid: 0, mode: 0 });
    }
  });

  it("reads nothing, and writes nothing, through links in an archive", async () => {
    const outside = join(directory, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "secret"), "secret");
    const content = join(directory, "content");
    const archive = join(directory, "archive.tar");
    const pack = (...names: readonly string[]): void => {
      execFileSync("tar", ["-C", content, "-cf", archive, ...names]);
    };
    mkdirSync(content);
    symlinkSync(outside, join(content, "layout"));
    symlinkSync(join(outside, "secret"), join(content, "layer.tar"));
    writeFileSync(join(content, "config.json"), JSON.stringify({ ...AMD64, rootfs: { type: "layers", diff_ids: [] } }));
    const entry = { Config: "config.json", RepoTags: ["a:1"], Layers: ["layer.tar"] };
    writeFileSync(join(content, "manifest.json"), JSON.stringify([entry]));
    pack("layout", "layer.tar", "config.json", "manifest.json");
    await expect(open({ archive })).rejects.toMatchObject({ code: "KATA_IMAGE_FORMAT" });
    symlinkSync(join(outside, "secret"), join(content, "index.json"));
    pack("index.json");
    await expect(open({ archive })).rejects.toMatchObject({ code: "KATA_IMAGE_NOT_FOUND" });
    expect(readdirSync(outside)).toEqual(["secret"]);
    expect(readdirSync(join(directory, "cache"))).toEqual(["lock"]);
    await expect(open({ archive }, { maxBytes: -1 })).rejects.toThrow("larger than it may be");
  });

  it("waits at no pipe, and opens no device, that stands where a file should", async () => {
    const content = join(directory, "content");
    const archive = join(directory, "archive.tar");
    mkdirSync(content, { recursive: true });
    execFileSync("mkfifo", [join(content, "manifest.json")]);
    execFileSync("mknod", [join(content, "index.json"), "c", "1", "5"]);
    execFileSync("tar", ["-C", content, "-cf", archive, "manifest.json", "index.json"]);
    await expect(open({ archive })).rejects.toThrow("neither an OCI nor a Docker archive");
    await expect(open({ layout: content })).rejects.toThrow("index.json: is no file");
  });
});
