import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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
      "it has several by other names",
      "KATA_IMAGE_NOT_FOUND",
      () => {
        index([
          { ...image(AMD64), platform: AMD64, annotations: { "org.opencontainers.image.ref.name": "a" } },
          { ...image(ARM64), platform: ARM64, annotations: { "org.opencontainers.image.ref.name": "b" } },
        ]);
      },
    ],
    [
      "it is for another machine, and says so in its configuration only",
      "KATA_IMAGE_PLATFORM",
      () => {
        index([image({ os: "linux", architecture: "s390x" })]);
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

  it("takes the manifest for the platform where the layout's own index has several, the plainest of its variants", async () => {
    const of = (platform: object): object => ({
      ...image({ ...AMD64, ...platform }),
      platform: { ...AMD64, ...platform },
    });
    index([{ ...image(ARM64), platform: ARM64 }, of({ variant: "v3" }), of({ variant: "v2" })]);
    expect((await open({ layout }, { platform: ARM64 })).config).toMatchObject(ARM64);
    expect((await open({ layout }, { platform: AMD64 })).config).toMatchObject({ variant: "v2" });
    const wanted = { ...AMD64, variant: "v3" };
    expect((await open({ layout }, { platform: wanted })).config).toMatchObject({ variant: "v3" });
    index([of({ variant: "v4" }), of({}), of({ variant: "v1", author: "another" })]);
    expect((await open({ layout }, { platform: AMD64 })).config).not.toHaveProperty("variant");
    expect((await open({ layout }, { platform: { os: "linux", architecture: "x86_64" } })).config).toMatchObject(AMD64);
  });

  it("fetches nothing of layers that claim more than they may have", async () => {
    const claimed = Array.from({ length: 3 }, (_, n) => ({
      ...descriptorOf(`layer ${String(n)}`),
      size: 30 * 2 ** 20,
    }));
    const ids = claimed.map((_, n) => `sha256:${digestOf(String(n))}`);
    index([image(AMD64, claimed, ids)]);
    await expect(open({ layout }, { platform: AMD64, maxBytes: 64 * 2 ** 20 })).rejects.toMatchObject({
      code: "KATA_IMAGE_LAYER",
      message: expect.stringContaining("94371840 bytes, more than the 67108864") as string,
    });
    // Within the limit they are asked for, and are not there.
    await expect(open({ layout }, { platform: AMD64 })).rejects.toMatchObject({ code: "KATA_IMAGE_NOT_FOUND" });
  });

  it("keeps no more of a blob than its manifest claims", async () => {
    const large = add("x".repeat(100_000)) as { digest: string };
    const size = 10;
    index([image(AMD64, [{ ...large, size }], [`sha256:${digestOf("x")}`])]);
    await expect(open({ layout }, { platform: AMD64 })).rejects.toThrow("is longer than its 10 bytes");
    expect(readdirSync(join(directory, "cache/blobs/sha256"))).not.toContain(large.digest.slice(7));
  });

  it("removes what a killed process has left in the cache, and nothing of a live process", async () => {
    index([image(AMD64)]);
    await open({ layout }, { platform: AMD64 });
    const cache = join(directory, "cache");
    for (const name of ["work-dead1", "work-alive"]) {
      mkdirSync(join(cache, name));
      writeFileSync(join(cache, name, "lock"), "");
      writeFileSync(join(cache, name, "large.part"), "x".repeat(1000));
    }
    const holder = spawn("flock", [join(cache, "work-alive/lock"), "sh", "-c", "echo held; exec cat"]);
    await once(holder.stdout, "data");
    await open({ layout }, { platform: AMD64 });
    expect(readdirSync(cache).sort()).toEqual(["blobs", "lock", "work-alive"]);
    const ended = once(holder, "close");
    holder.stdin.end();
    await ended;
    await open({ layout }, { platform: AMD64 });
    expect(readdirSync(cache).sort()).toEqual(["blobs", "lock"]);
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
});
