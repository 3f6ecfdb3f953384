import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountInThread, unmountInThread } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeOwner } from "./leftovers.ts";
import { createVolume, dataOf, listVolumes, parseVolume, removeVolume, volumeMounts } from "./volumes.ts";

describe("a named volume", () => {
  let directory = "";
  let image = "";
  const environment = { ...process.env };
  const used: string[] = [];
  const { signal } = new AbortController();

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-volumes-"));
    process.env.KATA_TS_DATA = directory;
    image = join(directory, "image");
    mkdirSync(join(image, "var/lib/db"), { recursive: true });
    writeFileSync(join(image, "var/lib/db/seed"), "of the image");
    chownSync(join(image, "var/lib/db"), 70, 71);
    used.length = 0;
  });
  afterEach(() => {
    process.env = { ...environment };
    rmSync(directory, { recursive: true });
  });

  const mountsOf = (text: string) =>
    volumeMounts([parseVolume(text)], { image, bundle: { useVolume: (name) => void used.push(name) }, signal });

  it("begins with what the image has in its place, with its owner, and is as it was left from then on", async () => {
    const [mount] = await mountsOf("data:/var/lib/db:ro");
    expect(mount).toEqual({
      source: dataOf("data"),
      destination: "/var/lib/db",
      type: "bind",
      options: ["rbind", "ro"],
    });
    expect(readdirSync(dataOf("data"))).toEqual(["seed"]);
    expect(statSync(dataOf("data"))).toMatchObject({ uid: 70, gid: 71 });
    rmSync(join(dataOf("data"), "seed"));
    await mountsOf("data:/var/lib/db");
    expect(readdirSync(dataOf("data"))).toEqual([]);
    expect(used).toEqual(["data", "data"]);
    expect(statSync(join(directory, "volumes")).mode & 0o777).toBe(0o700);
  });

  it("gets nothing of the host by a link in the image", async () => {
    const host = join(directory, "host");
    mkdirSync(host);
    writeFileSync(join(host, "secret"), "of the host");
    symlinkSync(host, join(image, "absolute"));
    symlinkSync("../host", join(image, "relative"));
    for (const place of ["absolute", "relative", "../host", "var/lib/db/seed"]) {
      const name = `v-${place.replaceAll(/[^a-z]/g, "")}`;
      await mountsOf(`${name}:/${place}`);
      expect(readdirSync(dataOf(name)), place).toEqual([]);
    }
  });

  it("is not removed while a container has it, and is gone after that", async () => {
    await createVolume("data");
    const bundle = join(directory, "bundles", "web");
    mkdirSync(bundle, { recursive: true });
    writeOwner(bundle, { creator: { pid: process.pid, startTime: 0 }, root: directory, volumes: ["data"] });
    await expect(removeVolume("data")).rejects.toThrow("is used by the container web");
    rmSync(bundle, { recursive: true });
    expect(listVolumes()).toEqual(["data"]);
    await removeVolume("data");
    expect(listVolumes()).toEqual([]);
    await expect(removeVolume("data")).rejects.toMatchObject({ code: "KATA_NOT_FOUND" });
    await expect(createVolume("../x")).rejects.toThrow("is no volume's name");
  });

  it("whose removal is cut short is none, and goes with the next of its name", async () => {
    await createVolume("data");
    const busy = join(dataOf("data"), "busy");
    mkdirSync(busy);
    await mountInThread("tmpfs", busy, "tmpfs", 0, "");
    try {
      await expect(removeVolume("data")).rejects.toMatchObject({ code: "EBUSY" });
      expect(listVolumes()).toEqual([]);
    } finally {
      const [left = "data"] = readdirSync(join(directory, "volumes")).filter((name) => name.includes("data"));
      await unmountInThread(join(directory, "volumes", left, "data", "busy"));
    }
    await createVolume("data");
    expect(readdirSync(join(directory, "volumes"))).toEqual([".locks", "data"]);
    expect(readdirSync(dataOf("data"))).toEqual([]);
  });

  it("that a killed call has begun is not believed, and goes with the next", async () => {
    const unfinished = join(directory, "volumes", ".new-data~00000000");
    mkdirSync(join(unfinished, "data"), { recursive: true });
    writeFileSync(join(unfinished, "data", "half"), "");
    expect(listVolumes()).toEqual([]);
    await createVolume("data");
    expect(readdirSync(dataOf("data"))).toEqual([]);
    expect(existsSync(unfinished)).toBe(false);
  });
});
