import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openImage } from "./image.ts";

const digestOf = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");
const descriptorOf = (content: string): object => ({ digest: `sha256:${digestOf(content)}`, size: content.length });

describe("openImage", () => {
  let directory = "";
  let layout = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-image-"));
    layout = join(directory, "layout");
    mkdirSync(join(layout, "blobs", "sha256"), { recursive: true });
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const add = (content: string): object => {
    writeFileSync(join(layout, "blobs", "sha256", digestOf(content)), content);
    return descriptorOf(content);
  };
  const index = (manifests: readonly object[]): void => {
    writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  };
  const image = (platform: object, layers: readonly object[] = [], diffIds: readonly string[] = []): object =>
    add(
      JSON.stringify({
        config: add(JSON.stringify({ ...platform, rootfs: { type: "layers", diff_ids: diffIds } })),
        layers,
      }),
    );
  const open = (from: Parameters<typeof openImage>[0] = { layout }, options: object = {}) =>
    openImage(from, { cacheDir: join(directory, "cache"), ...options });

  const AMD64 = { os: "linux", architecture: "amd64" };
  const ARM64 = { os: "linux", architecture: "arm64" };

  it("takes the manifest for the platform out of an index, at any depth that people use", async () => {
    const manifests = [
      { ...image(ARM64), platform: ARM64 },
      { ...image(AMD64), platform: AMD64 },
    ];
    index([add(JSON.stringify({ manifests }))]);
    expect((await open({ layout }, { platform: AMD64 })).config).toMatchObject(AMD64);
    expect((await open({ layout }, { platform: ARM64 })).config).toMatchObject(ARM64);
    await expect(open({ layout }, { platform: { os: "linux", architecture: "riscv64" } })).rejects.toMatchObject({
      code: "KATA_IMAGE_PLATFORM",
      message: expect.stringContaining("has linux/arm64, linux/amd64") as string,
    });
  });

  it.each<[string, string, () => void]>([
    ["there is none", "KATA_IMAGE_NOT_FOUND", () => undefined],
    [
      "its index is no JSON",
      "KATA_IMAGE_FORMAT",
      () => {
        writeFileSync(join(layout, "index.json"), "{");
      },
    ],
    [
      "its index is empty",
      "KATA_IMAGE_NOT_FOUND",
      () => {
        index([]);
      },
    ],
    [
      "it has several",
      "KATA_IMAGE_NOT_FOUND",
      () => {
        index([image(AMD64), image(ARM64)]);
      },
    ],
    [
      "its manifest is null",
      "KATA_IMAGE_FORMAT",
      () => {
        index([add("null")]);
      },
    ],
    [
      "its manifest is no JSON",
      "KATA_IMAGE_FORMAT",
      () => {
        index([add("nonsense")]);
      },
    ],
    [
      "a digest names a path",
      "KATA_IMAGE_FORMAT",
      () => {
        index([{ digest: "sha256:../../../etc/passwd", size: 1 }]);
      },
    ],
    [
      "a blob is missing",
      "KATA_IMAGE_NOT_FOUND",
      () => {
        index([descriptorOf("nowhere")]);
      },
    ],
    [
      "a blob is another",
      "KATA_IMAGE_DIGEST",
      () => {
        index([{ ...add("other"), size: 4 }]);
      },
    ],
    [
      "it claims a huge manifest",
      "KATA_IMAGE_FORMAT",
      () => {
        index([{ ...add("x"), size: 1e12 }]);
      },
    ],
    [
      "layers and configuration differ",
      "KATA_IMAGE_FORMAT",
      () => {
        index([image(AMD64, [add("layer")])]);
      },
    ],
    [
      "indexes go on for ever",
      "KATA_IMAGE_FORMAT",
      () => {
        let below = image(AMD64);
        for (let depth = 0; depth < 5; depth += 1) below = add(JSON.stringify({ manifests: [below] }));
        index([below]);
      },
    ],
  ])("refuses a layout where %s", async (_, code, make) => {
    make();
    await expect(open()).rejects.toMatchObject({ code });
    // Nothing that is half or wrong is kept.
    const kept = readdirSync(join(directory, "cache"), { recursive: true, encoding: "utf8" });
    expect(kept.filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it("unpacks nothing, and leaves nothing, where a layer is not what the configuration says", async () => {
    const target = join(directory, "target");
    index([image(AMD64, [add("no tar")], [`sha256:${digestOf("another")}`])]);
    const opened = await open({ layout }, { platform: AMD64 });
    await expect(opened.unpack(target)).rejects.toMatchObject({
      code: expect.stringMatching(/KATA_IMAGE_(?:LAYER|DIGEST)/) as string,
    });
    expect(readdirSync(target)).toEqual([]);
    writeFileSync(join(target, "mine"), "");
    await expect(opened.unpack(target)).rejects.toThrow("is not empty");
    expect(readdirSync(target)).toEqual(["mine"]);
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
    expect(readdirSync(join(directory, "cache"))).toEqual([]);
    await expect(open({ archive }, { maxBytes: -1 })).rejects.toThrow("larger than it may be");
  });

  it("waits at no pipe, and opens no device, that stands where a file should", async () => {
    const content = join(directory, "content");
    const archive = join(directory, "archive.tar");
    mkdirSync(join(content, "etc"), { recursive: true });
    execFileSync("mkfifo", [join(content, "manifest.json"), join(content, "etc/passwd")]);
    execFileSync("mknod", [join(content, "index.json"), "c", "1", "5"]);
    execFileSync("tar", ["-C", content, "-cf", archive, "manifest.json", "index.json"]);
    await expect(open({ archive })).rejects.toThrow("neither an OCI nor a Docker archive");
    await expect(open({ layout: content })).rejects.toThrow("index.json: is no file");
    index([image(AMD64)]);
    const opened = await open({ layout }, { platform: AMD64 });
    expect((await opened.process(content, ["sh"])).user).toEqual({ uid: 0, gid: 0 });
  });
});
