import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type DirectoryEntry,
  FileError,
  IdMap,
  list,
  mkdir,
  pack,
  Root,
  read,
  remove,
  rename,
  stat,
  write,
} from "../src/index.ts";
import { collect, content } from "./collect.ts";

describe("a tree", () => {
  let directory = "";
  let top = "";
  let root: Root;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-tree-"));
    top = join(directory, "root");
    mkdirSync(top);
    writeFileSync(join(directory, "secret"), "outside");
    root = new Root(top);
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  const text = async (path: string): Promise<string> => Buffer.concat(await collect(read(root, path))).toString();
  const entries = async (path: string, most?: number): Promise<DirectoryEntry[]> => collect(list(root, path, most));

  describe("whose links", () => {
    it.each([
      ["absolute", "/../secret"],
      ["relative", "../secret"],
      ["relative through many", "../../../../../../../../../../../../../../../../secret"],
    ])("lead out of it, %s, leads nowhere", async (_, target) => {
      symlinkSync(target, join(top, "link"));
      await expect(text("/link")).rejects.toMatchObject({ errno: "ENOENT", path: "/link" });
      await expect(text("/../secret")).rejects.toMatchObject({ errno: "ENOENT" });
      await expect(stat(root, "/link")).rejects.toMatchObject({ errno: "ENOENT" });
      expect(await stat(root, "/link", { follow: false })).toMatchObject({ type: "symlink", target });
      await expect(write(root, "/link", content("x"))).rejects.toMatchObject({ errno: "ENOENT" });
      await remove(root, "/link");
      expect(readFileSync(join(directory, "secret"), "utf8")).toBe("outside");
    });

    it("lead out of it by a directory on the way, stay inside, whatever is done", async () => {
      symlinkSync(directory, join(top, "up"));
      symlinkSync("/", join(top, "self"));
      writeFileSync(join(top, "secret"), "inside");
      expect(await text("/self/secret")).toBe("inside");
      await expect(text("/up/secret")).rejects.toMatchObject({ errno: "ENOENT" });
      await expect(mkdir(root, "/up/made")).rejects.toMatchObject({ errno: "ENOENT" });
      await expect(rename(root, "/secret", "/up/secret")).rejects.toMatchObject({ errno: "ENOENT" });
      await expect(remove(root, "/up/secret")).rejects.toMatchObject({ errno: "ENOENT" });
      await rename(root, "/self/secret", "/self/moved");
      expect(readdirSync(top).sort()).toEqual(["moved", "self", "up"]);
      expect(readdirSync(directory).sort()).toEqual(["root", "secret"]);
    });

    it("of the kernel's lead nowhere: they could lead to what a process has open", async () => {
      const proc = new Root("/");
      await expect(stat(proc, "/proc/self/root/etc")).rejects.toMatchObject({ errno: "ELOOP" });
    });
  });

  it("has files that are written, read, in parts, behind each other, and once", async () => {
    expect(await write(root, "/a", content("one ", "two"), { mode: 0o4750, uid: 7, gid: 8 })).toBe(7);
    expect(await stat(root, "/a")).toMatchObject({ type: "file", size: 7, mode: 0o4750, uid: 7, gid: 8 });
    await write(root, "/a", content(" three"), { append: true });
    expect(await text("/a")).toBe("one two three");
    const part = await collect(read(root, "/a", { offset: 4, length: 3 }));
    expect(Buffer.concat(part).toString()).toBe("two");
    await expect(write(root, "/a", content("x"), { exclusive: true })).rejects.toMatchObject({ errno: "EEXIST" });
    await write(root, "/a", content("short"));
    expect([await text("/a"), statSync(join(top, "a")).mode & 0o777]).toEqual(["short", 0o750]);
    await write(root, "/new", content());
    expect(await stat(root, "/new")).toMatchObject({ size: 0, mode: 0o644 });
    symlinkSync("new", join(top, "link"));
    await write(root, "/link", content("through"));
    expect(await text("/new")).toBe("through");
  });

  it("opens nothing but files", async () => {
    execFileSync("mkfifo", [join(top, "fifo")]);
    mkdirSync(join(top, "directory"));
    for (const [path, errno, reason] of [
      ["/fifo", "EINVAL", /a FIFO/],
      ["/directory", "EISDIR", /is a directory/],
      ["/", "EISDIR", /is a directory/],
    ] as const) {
      await expect(text(path)).rejects.toMatchObject({ errno, message: expect.stringMatching(reason) as string });
      await expect(write(root, path, content("x"))).rejects.toMatchObject({ errno });
    }
    await expect(write(new Root("/dev"), "/null", content("x"))).rejects.toMatchObject({ errno: "EINVAL" });
  });

  it("writes to no file system of the kernel's, wherever a link leads", async () => {
    const host = new Root("/proc");
    for (const attempt of [
      () => write(host, "/self/oom_score_adj", content("0")),
      () => write(host, "/none", content("0")),
      () => remove(host, "/sysrq-trigger"),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ errno: "EPERM" });
    }
    expect(Buffer.concat(await collect(read(host, "/version"))).toString()).toMatch(/^Linux version/);
  });

  it("reads a file that grows without end to the end that it had", async () => {
    writeFileSync(join(top, "log"), "x".repeat(300_000));
    let length = 0;
    for await (const piece of read(root, "/log")) {
      length += piece.length;
      writeFileSync(join(top, "log"), "y".repeat(300_000), { flag: "a" });
    }
    expect(length).toBe(300_000);
  });

  it("lists a directory of any size in parts, or says that it is too large", async () => {
    mkdirSync(join(top, "many"));
    for (let number = 0; number < 1200; number += 1) writeFileSync(join(top, "many", `file\n${String(number)}`), "");
    const found = await entries("/many");
    expect(new Set(found.map(({ name }) => name)).size).toBe(1200);
    expect(found[0]?.name).toMatch(/^file\n\d+$/);
    await expect(entries("/many", 1199)).rejects.toMatchObject({ errno: "EFBIG" });
    await expect(entries("/many/file\n1")).rejects.toMatchObject({ errno: "ENOTDIR" });
    await remove(root, "/many", { recursive: true });
    await expect(entries("/many")).rejects.toMatchObject({ errno: "ENOENT" });
  });

  it("makes directories with their parents, and removes nothing but what is named", async () => {
    await mkdir(root, "/a/b//c/", { recursive: true, mode: 0o1700, uid: 5 });
    expect(await stat(root, "/a/b/c")).toMatchObject({ type: "directory", mode: 0o1700, uid: 5, gid: 0 });
    expect(await stat(root, "/a/b")).toMatchObject({ mode: 0o755, uid: 0 });
    await mkdir(root, "/a/b", { recursive: true });
    await expect(mkdir(root, "/a/b")).rejects.toMatchObject({ errno: "EEXIST" });
    await write(root, "/file", content());
    await expect(mkdir(root, "/file/x", { recursive: true })).rejects.toMatchObject({ errno: "ENOTDIR" });
    await expect(remove(root, "/a")).rejects.toMatchObject({ errno: "ENOTEMPTY" });
    symlinkSync("b", join(top, "a", "link"));
    await remove(root, "/a/link", { recursive: true });
    await remove(root, "/a/b/c");
    await remove(root, "/a", { recursive: true });
    await remove(root, "/a", { force: true });
    await expect(remove(root, "/a", { recursive: true })).rejects.toMatchObject({ errno: "ENOENT" });
    for (const path of ["/", "/.", "/..", ""]) {
      await expect(remove(root, path, { recursive: true })).rejects.toMatchObject({ errno: "EBUSY" });
    }
    expect(readdirSync(top)).toEqual(["file"]);
  });

  it("is removed only as deep as directories can be held open", async () => {
    mkdirSync(join(top, "d/".repeat(300)), { recursive: true });
    await expect(remove(root, "/d", { recursive: true })).rejects.toMatchObject({ errno: "EMFILE" });
    const open = readdirSync("/proc/self/fd").length;
    await expect(collect(pack(root, "/d"))).rejects.toMatchObject({ errno: "EMFILE" });
    expect(readdirSync("/proc/self/fd")).toHaveLength(open);
  });

  it("removes a link that takes a directory's place, and not what it leads to", async () => {
    mkdirSync(join(top, "victim"));
    writeFileSync(join(top, "victim", "precious"), "");
    mkdirSync(join(top, "gone"));
    for (let number = 0; number < 200; number += 1) mkdirSync(join(top, "gone", String(number)));
    const swapped: Promise<void> = new Promise((resolve) => {
      setImmediate(() => {
        const name = readdirSync(join(top, "gone")).at(-1) ?? "";
        renameSync(join(top, "gone", name), join(top, "elsewhere"));
        symlinkSync("/victim", join(top, "gone", name));
        resolve();
      });
    });
    await Promise.all([remove(root, "/gone", { recursive: true }), swapped]);
    expect(readdirSync(join(top, "victim"))).toEqual(["precious"]);
  });

  it("has the ids of its user namespace", async () => {
    const ids = IdMap.parse("         0     100000      65536\n");
    const mapped = new Root(top, { uids: ids, gids: ids });
    await write(mapped, "/file", content(), { uid: 5, gid: 6 });
    expect(statSync(join(top, "file"))).toMatchObject({ uid: 100_005, gid: 100_006 });
    expect(await stat(mapped, "/file")).toMatchObject({ uid: 5, gid: 6 });
    expect(await stat(mapped, "/")).toMatchObject({ uid: 65_534, gid: 65_534 });
    await expect(write(mapped, "/file", content("x"), { uid: 70_000 })).rejects.toMatchObject({ errno: "EINVAL" });
    expect(statSync(join(top, "file")).size).toBe(0);
  });

  it("leaves no descriptor open, whatever failed", async () => {
    const open = readdirSync("/proc/self/fd").length;
    for (let round = 0; round < 3; round += 1) {
      await expect(text("/nothing")).rejects.toThrow(FileError);
      await expect(write(root, "/no/where", content("x"))).rejects.toThrow(FileError);
      await expect(mkdir(root, "/no/where")).rejects.toThrow(FileError);
      await expect(rename(root, "/a", "/b")).rejects.toThrow(FileError);
      const packing = pack(root, "/");
      await packing.next();
      await packing.return();
    }
    expect(readdirSync("/proc/self/fd")).toHaveLength(open);
  });
});
