import {
  appendFile,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockFile } from "@kata-ts/linux";
import { describe, expect, it, vi } from "vitest";
import { contentDigest } from "./content-digest.ts";
import { SNAPSHOT_FORMAT, type SnapshotManifest } from "./manifest.ts";
import { SnapshotDirectory } from "./snapshot-directory.ts";

const FIRST = "0123456789ab";
const SECOND = "ba9876543210";

/** A directory for snapshots, removed in the end. */
async function scratch(): Promise<{ readonly path: string } & AsyncDisposable> {
  const parent = await mkdtemp(join(tmpdir(), "snapshot-"));
  return { path: join(parent, "snapshot"), [Symbol.asyncDispose]: () => rm(parent, { recursive: true }) };
}

function manifestOf(suffix: string): Omit<SnapshotManifest, "files"> {
  return {
    format: SNAPSHOT_FORMAT,
    created: "2026-01-01T00:00:00.000Z",
    sandboxId: suffix,
    vm: {
      memory: `memory-${suffix}`,
      state: `state-${suffix}`,
      disks: [],
      growth: { vcpus: 0, memoryMiB: 0 },
      accelerator: "tcg",
    },
    fingerprint: { QEMU: "1" },
    containers: [],
  };
}

async function write(path: string, suffix: string): Promise<SnapshotManifest> {
  return new SnapshotDirectory(path).write(suffix, async () => {
    await writeFile(join(path, `memory-${suffix}`), `memory of ${suffix}`);
    await writeFile(join(path, `state-${suffix}`), `state of ${suffix}`);
    return manifestOf(suffix);
  });
}

async function check(path: string): Promise<void> {
  using snapshot = await new SnapshotDirectory(path).open();
  await snapshot.verify();
}

describe("a directory with a snapshot", () => {
  it("is root's alone, and holds the last snapshot that was finished", async () => {
    await using at = await scratch();
    await write(at.path, FIRST);
    const { ino } = await stat(join(at.path, "inventory.img"));
    await write(at.path, SECOND);
    expect((await stat(join(at.path, "inventory.img"))).ino, "the first one was never without it").toBe(ino);
    await check(at.path);
    using snapshot = await new SnapshotDirectory(at.path).open();
    expect(snapshot.manifest.sandboxId).toBe(SECOND);
    expect((await readdir(at.path)).sort()).toEqual(
      ["inventory.img", "manifest.json", `memory-${SECOND}`, "names.lock", "snapshot.lock", `state-${SECOND}`].sort(),
    );
    expect((await stat(at.path)).mode & 0o777).toBe(0o700);
  });

  it("is taken from other users where it is empty, and refused where it has files of theirs", async () => {
    await using at = await scratch();
    await mkdir(at.path);
    await chmod(at.path, 0o755);
    await write(at.path, FIRST);
    expect((await stat(at.path)).mode & 0o777).toBe(0o700);
    const shared = `${at.path}.shared`;
    await mkdir(shared);
    await chmod(shared, 0o1777);
    await writeFile(join(shared, "notes.txt"), "theirs");
    await expect(write(shared, FIRST)).rejects.toMatchObject({ code: "KATA_SNAPSHOT" });
    expect((await stat(shared)).mode & 0o7777).toBe(0o1777);
    expect(await readdir(shared)).toEqual(["notes.txt"]);
    await rm(shared, { recursive: true });
  });

  it("is not taken from other users who made it look like a snapshot's, and no link of theirs is written through", async () => {
    await using at = await scratch();
    const [victim, planted] = [`${at.path}.victim`, join(at.path, "snapshot.lock")];
    await writeFile(victim, "of another program");
    await mkdir(at.path);
    await chmod(at.path, 0o777);
    await writeFile(planted, "");
    await chown(planted, 65_534, 65_534);
    await expect(write(at.path, FIRST)).rejects.toMatchObject({ code: "KATA_SNAPSHOT" });
    await chown(planted, 0, 0);
    await symlink(victim, join(at.path, "manifest.json.new"));
    await write(at.path, FIRST);
    await check(at.path);
    expect(await readFile(victim, "utf8")).toBe("of another program");
    await rm(victim);
  });

  it("keeps the snapshot before one that fails, and what is not its own", async () => {
    await using at = await scratch();
    await write(at.path, FIRST);
    await writeFile(join(at.path, "notes.txt"), "mine");
    const failing = new SnapshotDirectory(at.path).write(SECOND, async () => {
      await writeFile(join(at.path, `memory-${SECOND}`), "half");
      throw new Error("no space left");
    });
    await expect(failing).rejects.toThrow("no space left");
    await check(at.path);
    const names = await readdir(at.path);
    expect(names).toContain("notes.txt");
    expect(names.filter((name) => name.includes(SECOND))).toEqual([]);
  });

  it("is whole, or says why it is not, also where files of others cannot be removed", async () => {
    await using at = await scratch();
    await write(at.path, FIRST);
    await mkdir(join(at.path, "disk7-cccccccccccc"));
    using warned = vi.spyOn(process, "emitWarning").mockReturnValue();
    await write(at.path, SECOND);
    expect(warned).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("disk7-cccccccccccc"));
    const failing = new SnapshotDirectory(at.path).write(FIRST, () => Promise.reject(new Error("no space left")));
    await expect(failing).rejects.toThrow("no space left");
    await check(at.path);
  });

  it("is unaffected by a call that was killed, whose files the next one removes", async () => {
    await using at = await scratch();
    await write(at.path, FIRST);
    await writeFile(join(at.path, `disk7-${SECOND}`), "of a call that was killed");
    await writeFile(join(at.path, "manifest.json.new"), "{");
    await check(at.path);
    await write(at.path, "aaaaaaaaaaaa");
    expect((await readdir(at.path)).filter((name) => /disk7|new$/.test(name))).toEqual([]);
  });

  it("is refused where an id of it leads to another directory", async () => {
    await using at = await scratch();
    await new SnapshotDirectory(at.path).write(FIRST, async () => {
      const manifest = manifestOf(FIRST);
      const disk = { owner: "../../etc", index: 0, where: "02/00", readonly: false, file: `disk0-${FIRST}` };
      return { ...manifest, vm: { ...manifest.vm, disks: [disk] } };
    });
    await expect(new SnapshotDirectory(at.path).open()).rejects.toMatchObject({
      code: "KATA_SNAPSHOT",
      message: expect.stringContaining("the id of a container") as string,
    });
  });

  it.each<[string, RegExp, (path: string) => Promise<void>]>([
    ["that is not there", /no such directory/, (path) => rm(path, { recursive: true })],
    ["without a manifest", /no readable manifest/, (path) => rm(join(path, "manifest.json"))],
    ["whose manifest is half", /cannot be used/, (path) => truncate(join(path, "manifest.json"), 40)],
    ["without its memory", /memory-\w+ is missing/, (path) => rm(join(path, `memory-${FIRST}`))],
    [
      "whose state is longer",
      /state-\w+ has 22 bytes instead of 21/,
      (path) => appendFile(join(path, `state-${FIRST}`), "x"),
    ],
    ["that other users can write to", /other users can write/, (path) => chmod(path, 0o722)],
    [
      "whose memory is a link",
      /memory-\w+ is not a file/,
      async (path) => {
        await rm(join(path, `memory-${FIRST}`));
        await symlink("/etc/passwd", join(path, `memory-${FIRST}`));
      },
    ],
  ])("%s is refused by name", async (_what, message, damage) => {
    await using at = await scratch();
    await write(at.path, FIRST);
    await check(at.path);
    await damage(at.path);
    await expect(check(at.path)).rejects.toMatchObject({
      code: "KATA_SNAPSHOT",
      message: expect.stringMatching(message) as unknown,
    });
  });
});

describe("a snapshot that is open", () => {
  it("is closed once, however often", async () => {
    await using at = await scratch();
    await write(at.path, FIRST);
    const snapshot = await new SnapshotDirectory(at.path).open();
    snapshot[Symbol.dispose]();
    expect(() => {
      snapshot[Symbol.dispose]();
    }).not.toThrow();
  });

  it("is what it was when another one takes its place", async () => {
    await using at = await scratch();
    const { vm } = await write(at.path, FIRST);
    using snapshot = await new SnapshotDirectory(at.path).open();
    await write(at.path, SECOND);
    await snapshot.verify();
    expect(await readFile(snapshot.pathOf(vm.memory), "utf8")).toBe(`memory of ${FIRST}`);
    expect(await readdir(snapshot.directory)).toContain(`memory-${SECOND}`);
  });

  it("is what was checked, whatever has its files' names then", async () => {
    await using at = await scratch();
    const { vm } = await write(at.path, FIRST);
    using snapshot = await new SnapshotDirectory(at.path).open();
    await snapshot.verify();
    await rename(at.path, `${at.path}.moved`);
    await mkdir(at.path);
    for (const name of [vm.memory, vm.state]) await writeFile(join(at.path, name), "of another machine");
    expect(await readFile(snapshot.pathOf(vm.state), "utf8")).toBe(`state of ${FIRST}`);
    expect(await readFile(join(snapshot.directory, vm.memory), "utf8")).toBe(`memory of ${FIRST}`);
  });

  it("was not opened while its names change: opening waits, and can be given up", async () => {
    await using at = await scratch();
    await write(at.path, FIRST);
    const reason = new Error("given up");
    const opening = async (signal?: AbortSignal): Promise<string> => {
      using snapshot = await new SnapshotDirectory(at.path).open(signal);
      return snapshot.manifest.sandboxId;
    };
    const names = await lockFile(join(at.path, "names.lock"), { deadlineMs: 1_000 });
    const waiting = opening();
    await expect(opening(AbortSignal.timeout(1))).rejects.toMatchObject({ name: "TimeoutError" });
    await expect(opening(AbortSignal.abort(reason))).rejects.toBe(reason);
    names[Symbol.dispose]();
    expect(await waiting).toBe(FIRST);
    using _together = await lockFile(join(at.path, "names.lock"), { deadlineMs: 1_000, shared: true });
    expect(await opening()).toBe(FIRST);
  });
});

describe("the digest of a file's content", () => {
  it("is given up with a signal's reason", async () => {
    await using at = await scratch();
    await write(at.path, FIRST);
    const reason = new Error("given up");
    using snapshot = await new SnapshotDirectory(at.path).open();
    const checking = snapshot.verify(AbortSignal.abort(reason));
    await expect(checking).rejects.toBe(reason);
  });

  it("is another one with any byte, any place of it, and any length", async () => {
    await using at = await scratch();
    const path = `${at.path}.bytes`;
    const digestWith = async (bytes: number, ...changes: readonly (readonly [offset: number, value: number])[]) => {
      const content = Buffer.alloc(bytes);
      for (const [offset, value] of changes) content[offset] = value;
      await writeFile(path, content);
      return contentDigest(path);
    };
    const mebibyte = 1024 ** 2;
    const digests = [
      await digestWith(0),
      await digestWith(1),
      await digestWith(mebibyte),
      await digestWith(2 * mebibyte),
      await digestWith(2 * mebibyte, [5, 1]),
      await digestWith(2 * mebibyte, [mebibyte + 5, 1]),
      await digestWith(2 * mebibyte, [5, 1], [mebibyte + 5, 1]),
      await digestWith(2 * mebibyte + 1, [5, 1]),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    expect(await digestWith(2 * mebibyte, [5, 1])).toBe(digests[4]);
  });
});
