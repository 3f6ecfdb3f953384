import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkAgent } from "./agent-directory.ts";
import { Archive } from "./archive/archive.ts";
import { mirrorsIn, releasesIn } from "./archive/mirrors.ts";
import { buildRoot } from "./build-root/build-root.ts";
import type { BuildRoot } from "./build-root/run.ts";
import { IMAGE_TOOLS } from "./build-root/toolsets.ts";
import { cachedDir, contentKey, defaultCacheDir, fileDigest } from "./cache.ts";
import { writeExt4 } from "./ext4.ts";
import { modulesInLoadOrder } from "./kernel-modules.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "guest-image-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

async function imageTools(): Promise<BuildRoot> {
  const cacheDir = defaultCacheDir();
  return buildRoot(await Archive.open(cacheDir, () => undefined), IMAGE_TOOLS, cacheDir, () => undefined);
}

describe("the cache", () => {
  it("builds once per name, also for many at once, and keeps nothing half-made", async () => {
    let builds = 0;
    const build = async (dir: string): Promise<void> => {
      builds += 1;
      writeFileSync(join(dir, "file"), "content");
    };
    expect(await cachedDir(directory, "a", build)).toBe(join(directory, "a"));
    await Promise.all([cachedDir(directory, "a", build), cachedDir(directory, "a", build)]);
    expect(builds).toBe(1);
    await expect(cachedDir(directory, "b", () => Promise.reject(new Error("build fails")))).rejects.toThrow(
      "build fails",
    );
    mkdirSync(join(directory, "c.0123.tmp")); // of a builder that was killed
    await Promise.all([cachedDir(directory, "c", build), cachedDir(directory, "c", build)]);
    expect(builds).toBe(2);
    expect(readdirSync(directory).sort()).toEqual([".locks", "a", "c"]);
  });

  it("names content", () => {
    expect(contentKey("a", "b")).toBe(contentKey("a", "b"));
    expect(contentKey("a", "b")).not.toBe(contentKey("ab", ""));
  });
});

// The first one fetches the archive's index and the tools.
describe("the root file system", { timeout: 600_000 }, () => {
  it("is the same image for the same content, whenever and wherever it was made", async () => {
    const digests: string[] = [];
    const tools = await imageTools();
    for (const order of [
      ["b", "a", "c"],
      ["c", "b", "a"],
    ]) {
      const tree = mkdtempSync(join(directory, "tree-"));
      // The host's own files behind a link are none of the image's.
      const run = join(directory, "run-of-the-host");
      symlinkSync(run, join(tree, "run"));
      mkdirSync(run, { recursive: true });
      for (let count = 0; count < 30; count += 1) writeFileSync(join(run, `${String(order)}${String(count)}`), "");
      for (const name of order) {
        mkdirSync(join(tree, name));
        // debugfs notes when it has changed more inodes than it keeps in memory.
        for (let count = 0; count < 150; count += 1) writeFileSync(join(tree, name, `file${String(count)}`), name);
        symlinkSync("file0", join(tree, name, "link"));
      }
      await writeExt4(tools, tree, join(tree, "../image"));
      digests.push(await fileDigest(join(directory, "image")));
      // The clock shows another second for the next one.
      const second = Math.floor(Date.now() / 1000);
      while (Math.floor(Date.now() / 1000) === second) await new Promise(setImmediate);
    }
    expect(digests[0]).toBe(digests[1]);
  });
});

describe("the archive's mirrors", () => {
  it("are the host's, if the host has Debian's", () => {
    const sources = [
      "http://packages.example/node nodistro Node",
      "http://mirror.example/debian bookworm Debian",
      "http://mirror.example/debian bookworm-updates Debian",
      "https://security.example/debian-security bookworm-security Debian-Security",
    ];
    expect(mirrorsIn(sources.join("\n"))).toEqual({
      main: "http://mirror.example/debian",
      security: "https://security.example/debian-security",
    });
    expect(mirrorsIn("http://archive.example/ubuntu noble Ubuntu")).toEqual({});
    // Before the host's first `apt-get update` it has no labels.
    expect(mirrorsIn("http://mirror.example/debian trixie ")).toEqual({ main: "http://mirror.example/debian" });
    // A testing suite has no index of security fixes, but a place for them.
    const known = "http://mirror.example/debian forky Debian";
    const uris = [
      "'http://mirror.example/debian/dists/forky/InRelease' mirror.example_debian_dists_forky_InRelease 0 ",
      "'http://mirror.example/debian-security/dists/forky-security/InRelease' mirror.example_debian-security_InRelease 0 ",
      "'http://mirror.example/debian/dists/forky/main/binary-amd64/Packages.xz' mirror.example_Packages 0 ",
    ].join("\n");
    expect(mirrorsIn(known)).toEqual({ main: "http://mirror.example/debian" });
    expect(mirrorsIn(`${known}\n${releasesIn(uris)}`)).toEqual({
      main: "http://mirror.example/debian",
      security: "http://mirror.example/debian-security",
    });
    expect(mirrorsIn("file:/media/debian trixie Debian")).toEqual({});
  });
});

describe("the build root", { timeout: 600_000 }, () => {
  it("shows its own files and the work directory, and nothing of the host or the caller", async () => {
    const tools = await imageTools();
    writeFileSync(join(directory, "given"), "from the caller");
    expect(await tools.run(directory, ["cat", "/work/given"])).toBe("from the caller");
    expect(await tools.run(directory, ["sh", "-c", "echo $HOME $KATA_TS_CACHE; ls /root; id -u"])).toBe("/tmp\n0");
    await expect(tools.run(directory, ["touch", "/usr/bin/new"])).rejects.toThrow("Read-only file system");
    await expect(tools.run(directory, ["sh", "-c", "echo its own words >&2; exit 3"])).rejects.toThrow("its own words");
  });
});

describe("kernel modules", () => {
  it("are loaded after what they depend on", async () => {
    const module = (name: string, depends: string): void => {
      mkdirSync(join(directory, "kernel"), { recursive: true });
      writeFileSync(join(directory, "kernel", `${name}.ko`), `x\0license=GPL\0depends=${depends}\0name=${name}\0`);
    };
    module("virtio-ring", "");
    module("virtio", "virtio_ring");
    module("virtio_blk", "virtio,virtio_ring");
    writeFileSync(join(directory, "modules.builtin"), "kernel/drivers/built-in.ko\n");
    const modules = await modulesInLoadOrder(directory, ["virtio_blk", "built_in"]);
    expect(modules.map(({ name }) => name)).toEqual(["virtio_ring", "virtio", "virtio_blk"]);
    expect(modules.every(({ path }) => existsSync(path))).toBe(true);
    await expect(modulesInLoadOrder(directory, ["virtio_net"])).rejects.toThrow("the kernel has no module virtio_net");
  });
});

describe("the kernel configuration", () => {
  it("names no option twice", () => {
    const config = readFileSync(new URL("../kernel/container-guest.config", import.meta.url), "utf8");
    const names = config
      .split("\n")
      .filter((line) => line.startsWith("CONFIG_"))
      .map((line) => line.split("=")[0]);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

describe("our changes to the kernel's source", () => {
  it("say why, and are listed", () => {
    const directory = new URL("../kernel/patches/", import.meta.url);
    const listed = readFileSync(new URL("../../../docs/guest-kernel.md", import.meta.url), "utf8");
    const names = readdirSync(directory).sort();
    expect(names.map((name) => name.slice(0, 5))).toEqual(["0001-", "0002-", "0003-"]);
    for (const name of names) {
      expect(readFileSync(new URL(name, directory), "utf8"), name).toMatch(
        /^[A-Z][^\n]{20,}\.\n\n\w[\s\S]+?\n\n--- a\//,
      );
      expect(listed).toContain(`\`${name.replace(".patch", "")}\``);
    }
  });
});

describe("a directory of an agent", () => {
  it("has the bytecode and its engine", () => {
    expect(() => {
      checkAgent(directory);
    }).toThrow(`${directory} has no agent.kjs and no kata-js`);
    writeFileSync(join(directory, "agent.kjs"), "");
    expect(() => {
      checkAgent(directory);
    }).toThrow(`${directory} has no kata-js, which`);
    writeFileSync(join(directory, "kata-js"), "");
    checkAgent(directory);
  });
});
