import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { copyMemory, type MemoryTarget, privateMemoryOf, privateRanges } from "./private-memory.ts";

/** Maps a file privately, writes to its second mebibyte, and waits. */
const PROGRAM = `
import mmap, sys
file = open(sys.argv[1], "r+b")
memory = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
memory[2**20:2**20 + 5] = b"after"
memory[2**21 - 4:2**21] = b"last"
print("ready", flush=True)
sys.stdin.read()
`;

/** A file that takes no more than half of what it is given, as on a file system that is almost full. */
function takingHalf(target: MemoryTarget): MemoryTarget {
  return {
    truncate: (bytes) => target.truncate(bytes),
    write: (block, from, bytes, position) => target.write(block, from, Math.ceil(bytes / 2), position),
  };
}

describe("memory that a process has of a file, and writes to", () => {
  it("is found among all that it has mapped", () => {
    const maps = [
      "55e4c8a00000-55e4c8a02000 r--p 00000000 08:01 131 /usr/bin/qemu",
      "7f0000000000-7f0000200000 rw-p 00000000 08:01 132                        /srv/a snapshot/memory-0123456789ab",
      "7f0000200000-7f0000300000 rw-p 00200000 08:01 132                        /srv/a snapshot/memory-0123456789ab",
      "7f0000400000-7f0000500000 rw-s 00000000 08:01 133                        /srv/memory-0123456789ab",
      "7f0000600000-7f0000700000 rw-p 00000000 00:00 0 ",
      "",
    ].join("\n");
    expect(privateRanges(maps, (name) => name.includes("memory-"))).toEqual([
      { start: 0x7f00_0000_0000, bytes: 0x20_0000, offset: 0 },
      { start: 0x7f00_0020_0000, bytes: 0x10_0000, offset: 0x20_0000 },
    ]);
  });

  it("is copied as the process sees it, and given up with a signal's reason", async () => {
    const directory = await mkdtemp(join(tmpdir(), "memory-"));
    const [path, copy] = [join(directory, "memory"), join(directory, "copy")];
    {
      await using file = await open(path, "wx");
      await file.truncate(3 * 2 ** 20);
      await file.write(Buffer.from("before"), 0, 6, 2 * 2 ** 20);
    }
    const child = spawn("python3", ["-c", PROGRAM, path], { stdio: ["pipe", "pipe", "inherit"] });
    await once(child.stdout, "data");
    const pid = child.pid ?? 0;
    const ranges = await privateMemoryOf(pid, (name) => name === path);
    {
      await using target = await open(copy, "wx");
      await copyMemory(pid, ranges, takingHalf(target));
      const reason = new Error("given up");
      await expect(copyMemory(pid, ranges, target, AbortSignal.abort(reason))).rejects.toBe(reason);
    }
    child.stdin.end();
    await once(child, "exit");
    const content = await readFile(copy);
    expect(content).toHaveLength(3 * 2 ** 20);
    expect(content.subarray(2 ** 20, 2 ** 20 + 5).toString()).toBe("after");
    expect(content.subarray(2 ** 21 - 4, 2 ** 21).toString()).toBe("last");
    expect(content.subarray(2 * 2 ** 20, 2 * 2 ** 20 + 6).toString()).toBe("before");
    expect(content.filter((byte) => byte !== 0)).toHaveLength(15);
    expect((await readFile(path)).subarray(2 ** 20, 2 ** 20 + 5).toString()).not.toBe("after");
    await rm(directory, { recursive: true });
  }, 30_000);
});
