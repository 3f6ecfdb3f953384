import * as fs from "node:fs";
import * as promises from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { at, directory, failure } from "./harness/own-directory.ts";

describe("files", () => {
  it("are written, read and appended to", () => {
    fs.writeFileSync(at("file"), "häh");
    fs.appendFileSync(at("file"), Buffer.from("!"));
    expect(fs.readFileSync(at("file"), "utf8")).toBe("häh!");
    expect(fs.readFileSync(at("file"))).toEqual(Buffer.from("häh!"));
    fs.writeFileSync(at("other"), "secret", { mode: 0o600, flag: "wx", flush: true });
    expect((fs.statSync(at("other")).mode & 0o777).toString(8)).toBe("600");
    expect(
      failure(() => {
        fs.writeFileSync(at("other"), "", { flag: "wx" });
      }),
    ).toMatchObject({ code: "EEXIST" });
  });

  it("of /proc are read to their end, whatever their size", () => {
    expect(fs.readFileSync("/proc/self/status", "latin1")).toMatch(/^Name:/);
  });

  it("are read and written in parts, at a place and where they are", () => {
    const fd = fs.openSync(at("file"), "w+");
    expect(fs.writeSync(fd, "0123456789")).toBe(10);
    expect(fs.writeSync(fd, Buffer.from("abc"), 1, 2, 4)).toBe(2);
    const bytes = Buffer.alloc(6, ".");
    expect(fs.readSync(fd, bytes, 1, 4, 3)).toBe(4);
    expect(bytes.toString()).toBe(".3bc6.");
    expect(fs.readSync(fd, bytes)).toBe(0);
    expect(fs.readvSync(fd, [Buffer.alloc(2)])).toBe(0);
    expect(fs.writevSync(fd, [Buffer.from("x"), Buffer.from("yz")])).toBe(3);
    fs.ftruncateSync(fd, 12);
    expect(fs.fstatSync(fd).size).toBe(12);
    fs.closeSync(fd);
    expect(fs.readFileSync(at("file"), "latin1")).toBe("0123bc6789xy");
  });

  it("are there or not, whatever they are named", () => {
    fs.writeFileSync(at("file"), "");
    expect([at("file"), at("none"), "", `${at("file")}\0`].map((path) => fs.existsSync(path))).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it("say what has failed", () => {
    expect(failure(() => fs.readFileSync(at("none")))).toEqual({
      code: "ENOENT",
      errno: -2,
      syscall: "open",
      path: "DIR/none",
      dest: undefined,
      text: "ENOENT: no such file or directory, open 'DIR/none'",
    });
    expect(
      failure(() => {
        fs.renameSync(at("none"), at("new"));
      }),
    ).toMatchObject({
      syscall: "rename",
      dest: "DIR/new",
      text: "ENOENT: no such file or directory, rename 'DIR/none' -> 'DIR/new'",
    });
    for (const [call, body] of [
      ["stat", () => fs.statSync(at("none"))],
      ["lstat", () => fs.lstatSync(at("none"))],
      ["scandir", () => fs.readdirSync(at("none"))],
      [
        "rmdir",
        () => {
          fs.rmdirSync(at("none"));
        },
      ],
      [
        "unlink",
        () => {
          fs.unlinkSync(at("none"));
        },
      ],
      [
        "chmod",
        () => {
          fs.chmodSync(at("none"), 0o600);
        },
      ],
      [
        "chown",
        () => {
          fs.chownSync(at("none"), 1, 1);
        },
      ],
      ["readlink", () => fs.readlinkSync(at("none"))],
      [
        "mkdir",
        () => {
          fs.mkdirSync(at("none/below"));
        },
      ],
      [
        "access",
        () => {
          fs.accessSync(at("none"));
        },
      ],
      [
        "utime",
        () => {
          fs.utimesSync(at("none"), 1, 1);
        },
      ],
      [
        "close",
        () => {
          fs.closeSync(9999);
        },
      ],
      ["fstat", () => fs.fstatSync(9999)],
      ["read", () => fs.readSync(9999, Buffer.alloc(1))],
    ] as const) {
      expect([call, failure(body)]).toEqual([call, expect.objectContaining({ syscall: call })]);
    }
    expect(() => fs.openSync(`${directory}/a\0b`, "r")).toThrow(TypeError);
    expect(() => fs.openSync(at("file"), "bad")).toThrow(/bad/);
  });

  it("that would have to wait throw, and are Errors", () => {
    const fd = fs.openSync("/dev/ptmx", fs.constants.O_RDWR | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK);
    let thrown: unknown;
    try {
      fs.readSync(fd, Buffer.alloc(1));
    } catch (error) {
      thrown = error;
    }
    fs.closeSync(fd);
    expect(thrown).toMatchObject({ code: "EAGAIN", errno: -11, syscall: "read" });
    expect(thrown instanceof Error && thrown.message).toBe("EAGAIN: resource temporarily unavailable, read");
  });
});

describe("stats", () => {
  it("tell kinds, sizes, links and times", () => {
    fs.writeFileSync(at("file"), "12345", { mode: 0o640 });
    fs.symlinkSync("file", at("link"));
    fs.linkSync(at("file"), at("hard"));
    fs.utimesSync(at("file"), 1_000_000_000, 1_500_000_000.25);
    const stats = fs.statSync(at("link"));
    expect([stats.isFile(), stats.isSymbolicLink(), stats.size, stats.nlink, stats.mtimeMs]).toEqual([
      true,
      false,
      5,
      2,
      1_500_000_000_250,
    ]);
    expect(stats.mtime.toISOString()).toBe("2017-07-14T02:40:00.250Z");
    expect(fs.lstatSync(at("link")).isSymbolicLink()).toBe(true);
    expect(fs.readlinkSync(at("link"))).toBe("file");
    fs.symlinkSync(Buffer.of(0xff), at("raw"));
    expect(fs.readlinkSync(at("raw"), "latin1")).toBe("\xff");
    expect(fs.statSync(at("file"), { bigint: true }).mtimeNs).toBe(1_500_000_000_250_000_000n);
    expect(fs.statSync(at("none"), { throwIfNoEntry: false })).toBeUndefined();
    expect([fs.existsSync(at("file")), fs.existsSync(at("none")), fs.statSync(directory).isDirectory()]).toEqual([
      true,
      false,
      true,
    ]);
    const device = fs.statSync("/dev/null");
    expect([device.isCharacterDevice(), device.rdev]).toEqual([true, 0x103]);
  });
});

describe("places", () => {
  it("are known by their real path", () => {
    fs.mkdirSync(at("dir"));
    fs.symlinkSync("dir", at("link"));
    expect(fs.realpathSync(at("link/../link/."))).toBe(fs.realpathSync(at("dir")));
    expect(failure(() => fs.realpathSync(at("none")))).toMatchObject({ code: "ENOENT", path: "DIR/none" });
    fs.writeFileSync(at("file"), "12345");
    fs.truncateSync(at("file"), 2);
    expect(fs.readFileSync(at("file"), "latin1")).toBe("12");
  });

  it("get copies of files, with their rights", () => {
    fs.writeFileSync(at("file"), Buffer.alloc(100_000, "ab"), { mode: 0o750 });
    fs.writeFileSync(at("copy"), Buffer.alloc(200_000));
    fs.copyFileSync(at("file"), at("copy"));
    expect(fs.readFileSync(at("copy"))).toEqual(fs.readFileSync(at("file")));
    fs.copyFileSync(at("file"), at("new"));
    expect((fs.statSync(at("new")).mode & 0o777).toString(8)).toBe("750");
    expect(
      failure(() => {
        fs.copyFileSync(at("none"), at("new"));
      }),
    ).toMatchObject({ code: "ENOENT" });
  });
});

describe("promises of files", () => {
  it("do the same, and reject", async () => {
    await promises.mkdir(at("dir"));
    await promises.writeFile(at("dir/file"), "text");
    await promises.rename(at("dir/file"), at("dir/other"));
    expect([await promises.readdir(at("dir")), await promises.readFile(at("dir/other"), "utf8")]).toEqual([
      ["other"],
      "text",
    ]);
    expect((await promises.stat(at("dir/other"))).size).toBe(4);
    const file = await promises.open(at("dir/other"), "r+");
    const bytes = Buffer.alloc(2);
    expect([(await file.read(bytes, 0, 2, 1)).bytesRead, String(bytes)]).toEqual([2, "ex"]);
    expect((await file.write(Buffer.from("!"))).bytesWritten).toBe(1);
    await file.close();
    expect(await promises.readFile(at("dir/other"), "latin1")).toBe("!ext");
    const whole = await promises.open(at("dir/other"), "r+");
    await whole.writeFile("new");
    await whole.sync();
    expect([await whole.readFile("latin1"), (await whole.stat()).size]).toEqual(["t", 4]);
    await whole.truncate(2);
    await whole.close();
    expect(await promises.readFile(at("dir/other"), "latin1")).toBe("ne");
    await promises.rm(at("dir"), { recursive: true });
    await expect(promises.stat(at("dir"))).rejects.toMatchObject({ code: "ENOENT", syscall: "stat" });
  });
});

describe("streams of files", () => {
  it("give a part of a file, in pieces", async () => {
    fs.writeFileSync(at("file"), Buffer.alloc(200_000, "0123456789"));
    const whole = await buffer(fs.createReadStream(at("file")));
    expect(whole).toHaveLength(200_000);
    expect((await buffer(fs.createReadStream(at("file"), { start: 3, end: 6 }))).toString()).toBe("3456");
    await expect(buffer(fs.createReadStream(at("none")))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
