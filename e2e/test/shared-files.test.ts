import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pack, Root, unpack } from "@kata-ts/tree";
import type { CopyProgress, FileChange } from "@kata-ts/virtcontainers";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { withContainer } from "../harness/files-container.ts";
import { hostProgramsImage, volume, withHostPrograms } from "../harness/host-programs.ts";
import { Kata } from "../harness/kata.ts";
import { IDLE, joinNamespaces, memberAnnotations, startSandbox } from "../harness/pods.ts";

const PROGRAM = ["python3", "/harness/shared-files.py"];

type Mount = EditableSpec["mounts"][number];

/** Another container of a pod, with this machine's programs and these volumes. */
async function member(kata: Kata, sandbox: string, image: string, args: readonly string[], ...mounts: Mount[]) {
  const { pid } = await kata.state(sandbox);
  return kata.start({
    image,
    args,
    edit: (spec) => {
      withHostPrograms(spec);
      spec.mounts.push(...mounts);
      spec.annotations = memberAnnotations(sandbox);
      delete spec.hostname;
      joinNamespaces(spec, pid, ["network", "ipc", "uts"]);
    },
  });
}

describe("a directory that two containers share over virtio-fs", () => {
  expectCleanHost();

  it("is one file system to them: sockets, FIFOs, locks, inotify and databases work through it", async () => {
    await using kata = new Kata();
    const data = join(kata.directory, "data");
    mkdirSync(data);
    const image = hostProgramsImage(kata);
    const sandbox = await startSandbox(kata);
    const peer = await member(kata, sandbox, image, [...PROGRAM, "peer", "/data"], volume(data, "/data"));
    const both = [volume(data, "/here"), volume(data, "/there", "ro")];
    const other = await member(kata, sandbox, image, IDLE, ...both);
    const run = (id: string, ...args: string[]) => kata.ok(["exec", id, ...PROGRAM, ...args]);
    expect(JSON.parse(await run(other, "probe", "/here"))).toEqual({
      socket: "here",
      flock: true,
      posix: true,
      watch: ["created"],
      fifo: "through",
    });
    // What is read-only for one of them is the same file system all the same.
    expect(JSON.parse(await run(other, "probe", "/there", "readonly"))).toEqual({ socket: "here", fifo: "through" });
    expect((await kata.run(["exec", other, "touch", "/there/file"])).stderr).toContain("Read-only file system");

    await Promise.all([run(peer, "insert", "/data", "40"), run(other, "insert", "/here", "40")]);
    expect(await run(other, "rows", "/there")).toBe("80");

    // What one lets go of stays with the other.
    await kata.ok(["delete", "--force", peer]);
    await kata.ok(["exec", other, "sh", "-c", "echo still > /here/file"]);
    expect(readFileSync(join(data, "file"), "utf8")).toBe("still\n");
    await kata.ok(["delete", "--force", other]);
    await kata.ok(["delete", "--force", sandbox]);
  }, 300_000);
});

describe("files of a container, as its library reaches them", () => {
  expectCleanHost();

  it("are read, written and looked at before it starts, while it runs, and while it is paused, with all its mounts", async () => {
    await withContainer(async (container) => {
      const { files } = container;
      await files.write("/srv/created", "before the start", { mode: 0o4711, uid: 7, gid: 8 });
      const running = await container.start();
      const shown = await running.run({ args: ["stat", "-c", "%a %u %g %s", "/srv/created"] });
      expect(shown.stdout).toBe("4711 7 8 16\n");
      const big = Buffer.alloc(5_000_001, "0123456789");
      await files.write(
        "/srv/big",
        (async function* () {
          for (let at = 0; at < big.length; at += 700_000) yield big.subarray(at, at + 700_000);
        })(),
      );
      const [sum] = (await running.run({ args: ["sha256sum", "/srv/big"] })).stdout.split(" ");
      expect(sum).toBe(createHash("sha256").update(big).digest("hex"));
      expect((await files.read("/srv/big")).equals(big)).toBe(true);
      expect(await files.readText("/srv/big", { offset: 11, length: 3 })).toBe("123");
      const streamed = await buffer(files.readStream("/srv/big"));
      expect(streamed.equals(big)).toBe(true);
      await expect(files.read("/srv/big", { maxBytes: 5_000_000 })).rejects.toMatchObject({
        code: "KATA_FILE",
        errno: "EFBIG",
      });

      await running.run({
        args: [
          "sh",
          "-c",
          "mkdir /srv/d; ln -s ../created /srv/d/link; mkfifo /srv/d/fifo; echo > '/srv/d/two\nlines'",
        ],
      });
      const paused = await running.pause();
      const entries = (await paused.files.list("/srv/d")).sort((a, b) => a.name.localeCompare(b.name));
      expect(entries.map(({ name, type }) => [name, type])).toEqual([
        ["fifo", "pipe"],
        ["link", "symlink"],
        ["two\nlines", "file"],
      ]);
      expect(await paused.files.stat("/srv/d/link", { follow: false })).toMatchObject({
        type: "symlink",
        target: "../created",
      });
      const detailed = await paused.files.list("/srv/d", { details: true });
      for (const { name, ...details } of detailed)
        expect(details).toEqual(await paused.files.stat(`/srv/d/${name}`, { follow: false }));
      expect(detailed.map(({ name }) => name).sort()).toEqual(entries.map(({ name }) => name).sort());
      expect(await paused.files.stat("/srv/d/link")).toMatchObject({
        type: "file",
        size: 16,
        mode: 0o4711,
        uid: 7,
        gid: 8,
      });
      await paused.resume();
      await files.mkdir("/srv/a/b", { recursive: true, mode: 0o700 });
      await files.rename("/srv/d", "/srv/a/b/moved");
      expect(await files.exists("/srv/a/b/moved/fifo")).toBe(true);
      await files.remove("/srv/a", { recursive: true });
      expect([await files.exists("/srv/a"), await files.exists("/srv/big")]).toEqual([false, true]);
      for (const [attempt, errno] of [
        [() => files.read("/srv/none"), "ENOENT"],
        [() => files.read("/srv"), "EISDIR"],
        [() => files.list("/srv/big"), "ENOTDIR"],
        [() => files.mkdir("/srv"), "EEXIST"],
        [() => files.write("/sys/x", ""), "EPERM"],
        [() => files.write("/srv/big", "x", { exclusive: true }), "EEXIST"],
      ] as const) {
        await expect(attempt()).rejects.toMatchObject({ code: "KATA_FILE", errno });
      }
      expect(await files.readText("/proc/1/comm")).toBe("sleep\n");
      await running.process.kill("SIGKILL");
      await running.process.wait();
      await expect(files.read("/srv/big")).rejects.toMatchObject({
        code: "KATA_AGENT",
        message: expect.stringContaining("has ended") as string,
      });
    });
  });

  it("are copied as trees, in and out, with owners, links and strange names, and nothing hostile reaches the host", async () => {
    await withContainer(async (container, directory) => {
      const { files } = container;
      const running = await container.start();
      const source = join(directory, "source");
      mkdirSync(join(source, "below"), { recursive: true });
      writeFileSync(join(source, "below", "name\nof two lines"), "content", { mode: 0o640 });
      writeFileSync(Buffer.concat([Buffer.from(`${source}/`), Buffer.of(0xff)]), "no UTF-8");
      const progress: CopyProgress[] = [];
      await files.copyIn("/srv", pack(new Root(source), "/", { name: "tree" }), {
        owner: { uid: 33, gid: 33 },
        onProgress: (each) => progress.push(each),
      });
      expect(progress.at(-1)).toMatchObject({
        bytes: expect.any(Number) as number,
        entries: expect.any(Number) as number,
      });
      expect(progress.at(-1)?.bytes).toBeGreaterThan(2048);
      const shown = await running.run({
        args: ["sh", "-c", "cd /srv/tree; stat -c '%u %a' below/name*; cat $(printf '\\377')"],
      });
      expect(shown.stdout).toBe("33 640\nno UTF-8");

      const hostile = `cd /srv/tree; ln -s ${directory} out; ln -s ${directory}/secret alias; ln below/name* hard; chmod 6755 hard`;
      expect(await running.run({ args: ["sh", "-c", hostile], user: "33:33" })).toMatchObject({
        exitCode: 0,
        stderr: "",
      });
      const copy = join(directory, "copy");
      mkdirSync(copy);
      const warnings: string[] = [];
      const options = { harmless: true, owner: { uid: 0, gid: 0 }, warn: (warning: string) => warnings.push(warning) };
      await unpack(new Root(copy), "/", files.copyOut("/srv/tree"), options);
      expect(readdirSync(join(copy, "tree"), { encoding: "latin1" }).sort()).toEqual([
        "alias",
        "below",
        "hard",
        "out",
        "\xff",
      ]);
      expect(readlinkSync(join(copy, "tree", "out"))).toBe(directory);
      expect(statSync(join(copy, "tree", "hard"))).toMatchObject({ nlink: 2, uid: 0 });
      expect(statSync(join(copy, "tree", "hard")).mode & 0o7000).toBe(0);
      expect(warnings).toEqual([]);
      // Once more, over the link that now leads out of the copy.
      await unpack(new Root(copy), "/", pack(new Root(source), "/", { name: "tree/out" }), options);
      expect(readdirSync(directory).sort()).toEqual(["copy", "secret", "source"]);
      await expect(files.copyIn("/srv/none", pack(new Root(source), "/"))).rejects.toMatchObject({ errno: "ENOENT" });
      const noTar = (async function* () {
        yield "this is no tar";
      })();
      await expect(files.copyIn("/srv", noTar)).rejects.toMatchObject({ code: "KATA_FILE" });
      rmSync(source, { recursive: true });
      rmSync(copy, { recursive: true });
    });
  });

  it("are watched", async () => {
    await withContainer(async (container) => {
      const { files } = container;
      const running = await container.start();
      const seen: FileChange[] = [];
      const watching = files.watch("/srv");
      const next = watching.next();
      // Until a change is seen, the watch may not be there yet.
      const first = next.then(() => true);
      const written = (number: number) => files.write(`/srv/${String(number)}`, "").then(() => false);
      for (let number = 0; !(await Promise.race([first, written(number)])); number += 1);
      await running.run({ args: ["sh", "-c", "echo x > /srv/made; rm /srv/made; echo > /srv/last"] });
      for await (const change of watching) {
        seen.push(change);
        if (change.name === "last") break;
      }
      expect(seen).toContainEqual({ type: "rename", name: "made" });
      expect(seen).toContainEqual({ type: "change", name: "made" });
      const over = new AbortController();
      const waiting = files.watch("/srv", { signal: over.signal }).next();
      over.abort("enough");
      await expect(waiting).rejects.toBe("enough");
    });
  });
});
