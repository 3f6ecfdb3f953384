import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockFile } from "@kata-ts/linux";
import { create } from "tar";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ownPlatform } from "../platform.ts";
import { ImageStore } from "./image-store.ts";

const digestOf = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

describe("ImageStore", () => {
  let directory = "";
  let store: ImageStore;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "kata-store-"));
    store = await ImageStore.open(join(directory, "images"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** A layout with one image, whose one layer has one file. */
  async function layout(name: string, content: string): Promise<{ layout: string }> {
    const path = join(directory, name);
    const blobs = join(path, "blobs", "sha256");
    mkdirSync(blobs, { recursive: true });
    const add = (bytes: Buffer): { digest: string; size: number } => {
      writeFileSync(join(blobs, digestOf(bytes)), bytes);
      return { digest: `sha256:${digestOf(bytes)}`, size: bytes.length };
    };
    writeFileSync(join(directory, "file"), content);
    const tar = join(directory, "layer.tar");
    await create({ file: tar, cwd: directory, portable: true }, ["file"]);
    const layer = add(readFileSync(tar));
    const config = add(
      Buffer.from(JSON.stringify({ ...ownPlatform(), rootfs: { type: "layers", diff_ids: [layer.digest] } })),
    );
    const manifest = add(Buffer.from(JSON.stringify({ config, layers: [layer] })));
    writeFileSync(join(path, "oci-layout"), "{}");
    writeFileSync(join(path, "index.json"), JSON.stringify({ manifests: [manifest] }));
    return { layout: path };
  }

  const trees = (): string[] => readdirSync(join(directory, "images", "trees"));
  const blobs = (): string[] => readdirSync(join(directory, "images", "blobs", "sha256"));
  const unfinished = (): string[] => readdirSync(join(directory, "images")).filter((name) => name.startsWith("work-"));

  it("unpacks an image once, however many processes want it at the same time", async () => {
    const from = await layout("one", "first");
    const steps: string[] = [];
    const waits: number[] = [];
    const onProgress = ({ step }: { step: string }): void => void steps.push(step);
    const pulls = [1, 2, 3].map((each) => store.pull(from, { onProgress, onWait: () => void waits.push(each) }));
    const [image, ...others] = await Promise.all(pulls);
    expect(others).toEqual([image, image]);
    expect(steps.filter((step) => step === "unpacking")).toHaveLength(2); // Its begin and its end.
    expect(waits).toEqual([2, 3]);
    expect(readFileSync(join(image?.rootfs ?? "", "file"), "utf8")).toBe("first");
    expect(image).toMatchObject({ names: [from.layout], blobs: [{}, {}, {}] });
    expect(image?.bytes).toBeGreaterThanOrEqual(512);
    expect(unfinished()).toEqual([]);
  });

  it("finds images by name and by the beginning of their digest", async () => {
    const image = await store.pull(await layout("one", "first"));
    const other = await store.pull(await layout("two", "second"));
    expect((await store.list()).map(({ digest }) => digest)).toEqual([other.digest, image.digest]);
    expect(await store.find(join(directory, "one"))).toEqual(image);
    expect(await store.find(image.digest.slice("sha256:".length, 19))).toEqual(image);
    expect(await store.find(other.digest)).toEqual(other);
    expect(await store.find("alpine:3.20")).toBeUndefined();
    expect(await store.find("0000000")).toBeUndefined();
  });

  it("gives a name to the image that was fetched last; the earlier one stays, without it", async () => {
    const from = await layout("one", "first");
    const first = await store.pull(from);
    await layout("one", "second");
    const second = await store.pull(from);
    expect(await store.find(from.layout)).toEqual(second);
    expect(await store.find(first.digest)).toEqual({ ...first, names: [] });
  });

  it("removes an image with the blobs that no other has, but none that is in use", async () => {
    const one = await store.pull(await layout("one", "first"));
    const two = await store.pull(await layout("two", "second"));
    await expect(store.remove(one.digest, { userOf: () => "web" })).rejects.toMatchObject({
      code: "KATA_IMAGE_IN_USE",
      message: expect.stringMatching(/one is used by web$/) as string,
    });
    expect(await store.find(one.digest)).toEqual(one);
    await store.remove(one.digest);
    expect(await store.list()).toEqual([two]);
    expect(blobs().sort()).toEqual(two.blobs.map(({ digest }) => digest.slice("sha256:".length)).sort());
    expect(unfinished()).toEqual([]);
    await expect(store.remove(one.digest)).rejects.toMatchObject({ code: "KATA_IMAGE_NOT_FOUND" });
    await expect(store.hold(one.digest)).rejects.toMatchObject({ code: "KATA_IMAGE_NOT_FOUND" });
    expect(readdirSync(join(directory, "images", "references"))).toHaveLength(1);
    expect(await store.untag(two.names[0] ?? "")).toBe(true);
    expect(await store.untag("none")).toBe(false);
    expect((await store.list())[0]?.names).toEqual([]);
  });

  it("does not remove an image while a use of it begins", async () => {
    const image = await store.pull(await layout("one", "first"));
    const users: string[] = [];
    const held = await store.hold(image.digest);
    const removal = store.remove(image.digest, { userOf: () => users[0] });
    users.push("web");
    held[Symbol.dispose]();
    await expect(removal).rejects.toMatchObject({ code: "KATA_IMAGE_IN_USE" });
    expect(existsSync(image.rootfs)).toBe(true);
  });

  it("does not wait for a pull of a name that the image has had", async () => {
    const from = await layout("one", "first");
    const { digest } = await store.pull(from);
    const name = createHash("sha256").update(from.layout).digest("hex");
    using _pull = await lockFile(join(directory, "images", "locks", `name-${name}`), { deadlineMs: 0 });
    await store.remove(digest);
    expect([await store.list(), trees(), blobs()]).toEqual([[], [], []]);
  });

  it("keeps blobs while another process fetches", async () => {
    const image = await store.pull(await layout("one", "first"));
    writeFileSync(join(directory, "images", "blobs", "sha256", "f".repeat(64)), "given up");
    {
      using _fetches = await lockFile(join(directory, "images", "locks", "blobs"), { deadlineMs: 0, shared: true });
      expect(await store.sweep()).toBe(0);
      using _others = await lockFile(join(directory, "images", "locks", "blobs"), { deadlineMs: 0, shared: true });
    }
    expect(await store.sweep()).toBe("given up".length);
    expect(blobs()).toHaveLength(image.blobs.length);
  });

  it("sweeps a name that a killed process has not finished, and no other", async () => {
    const { names } = await store.pull(await layout("one", "first"));
    const references = join(directory, "images", "references");
    const [whole = ""] = readdirSync(references);
    writeFileSync(join(references, `${whole}.0a1b2c3d`), "{");
    await store.sweep();
    expect(readdirSync(references)).toEqual([whole]);
    expect((await store.list())[0]?.names).toEqual(names);
  });

  it("believes nothing that is not whole", async () => {
    const from = await layout("one", "first");
    const image = await store.pull(from);
    rmSync(join(directory, "images", "trees", trees()[0] ?? "", "image.json"));
    rmSync(join(image.rootfs, "file"));
    expect(await store.list()).toEqual([]);
    const again = await store.pull(from);
    expect(readFileSync(join(again.rootfs, "file"), "utf8")).toBe("first");
    expect(unfinished()).toEqual([]);
  });

  it("has nothing of an image whose layer is not what its configuration says", async () => {
    const { layout: path } = await layout("one", "first");
    const index = JSON.parse(readFileSync(join(path, "index.json"), "utf8")) as { manifests: { digest: string }[] };
    const file = (digest: string): string => join(path, "blobs", "sha256", digest.slice("sha256:".length));
    const manifest = JSON.parse(readFileSync(file(index.manifests[0]?.digest ?? ""), "utf8")) as {
      config: { digest: string; size: number };
    };
    const config = Buffer.from(
      JSON.stringify({ ...ownPlatform(), rootfs: { type: "layers", diff_ids: [`sha256:${"0".repeat(64)}`] } }),
    );
    writeFileSync(file(`sha256:${digestOf(config)}`), config);
    const changed = Buffer.from(
      JSON.stringify({ ...manifest, config: { digest: `sha256:${digestOf(config)}`, size: config.length } }),
    );
    writeFileSync(file(`sha256:${digestOf(changed)}`), changed);
    const entry = { digest: `sha256:${digestOf(changed)}`, size: changed.length };
    writeFileSync(join(path, "index.json"), JSON.stringify({ manifests: [entry] }));
    await expect(store.pull({ layout: path })).rejects.toMatchObject({ code: "KATA_IMAGE_DIGEST" });
    expect([trees(), unfinished(), await store.list()]).toEqual([[], [], []]);
  });
});
