import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MountFlag, mount, unmount } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { Kata } from "../harness/kata.ts";
import { RUNTIME } from "../harness/paths.ts";

const SLEEP = { args: ["sleep", "1000"] };

/** A small file system on the runtime's root, until it is disposed. */
function onRoot(kata: Kata, options: string): Disposable & { remount(flags: number): void } {
  mkdirSync(kata.root, { recursive: true });
  mount("tmpfs", kata.root, "tmpfs", 0, options);
  return {
    remount: (flags) => {
      mount("tmpfs", kata.root, null, MountFlag.remount | flags, options);
    },
    [Symbol.dispose]: () => {
      unmount(kata.root);
    },
  };
}

/** A cgroup whose number of processes and threads is limited. */
function pidsCgroup(): Disposable & { readonly path: string; allow(limit: number): void } {
  const path = `/sys/fs/cgroup/pids/kata-e2e-${String(process.pid)}`;
  mkdirSync(path);
  return {
    path,
    allow: (limit) => {
      writeFileSync(join(path, "pids.max"), String(limit));
    },
    [Symbol.dispose]: () => {
      rmdirSync(path);
    },
  };
}

describe("when the host has no more of something", () => {
  expectCleanHost();

  it("a full disk below the state fails a create by name, loses no container, and is over when there is room", async () => {
    await using kata = new Kata();
    using _disk = onRoot(kata, "size=256k");
    const id = await kata.start(SLEEP);
    const ballast = join(kata.root, ".ballast");
    const fill = (): void => {
      for (let chunk = 64 * 1024; chunk >= 1; chunk >>= 1) {
        try {
          for (;;) writeFileSync(ballast, Buffer.alloc(chunk), { flag: "a" });
        } catch {}
      }
    };
    fill();
    const { path } = await kata.bundle(SLEEP);
    const refused = await kata.run(["create", "--bundle", path, "too-much"]);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("ENOSPC") as string });
    expect((await kata.state(id)).status).toBe("running");
    expect(await kata.ok(["exec", id, "echo", "goes on"])).toBe("goes on");
    rmSync(ballast);
    expect(readdirSync(kata.root)).toEqual([id]);
    await kata.ok(["kill", id, "KILL"]);
    await kata.until(id, "stopped");
    fill();
    await kata.ok(["delete", id]);
    rmSync(ballast);
    expect(readdirSync(kata.root)).toEqual([]);
  });

  it("a state that has become read-only fails by name, and loses nothing", async () => {
    await using kata = new Kata();
    using disk = onRoot(kata, "size=1m");
    const id = await kata.start(SLEEP);
    disk.remount(MountFlag.rdonly);
    const { path } = await kata.bundle(SLEEP);
    for (const args of [
      ["create", "--bundle", path, "other"],
      ["pause", id],
      ["delete", "--force", id],
    ]) {
      const { exitCode, stderr } = await kata.run(args);
      expect({ args, exitCode, stderr }).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("EROFS") as string,
      });
    }
    disk.remount(0);
    await kata.ok(["delete", "--force", id]);
    expect(readdirSync(kata.root)).toEqual([]);
  });

  it.each([
    ["file descriptors", "-n 24"],
    ["file size", "-f 0"],
  ])("a caller's limit on %s fails a create by name, and leaves nothing", async (_, limit) => {
    await using kata = new Kata();
    const { path } = await kata.bundle(SLEEP);
    const command = `ulimit ${limit}; exec ${RUNTIME} --root ${kata.root} create --bundle ${path} limited`;
    const { exitCode, stderr } = await runCommand("/bin/bash", ["-c", command]);
    expect(exitCode).not.toBe(0);
    expect(stderr).not.toBe("");
    expect((await kata.run(["list", "-q"])).stdout).toBe("");
  });

  it("a caller that may have no more processes fails by name, leaves nothing, and hurts no other container", async () => {
    await using kata = new Kata();
    const id = await kata.start(SLEEP);
    const { path } = await kata.bundle(SLEEP);
    using cgroup = pidsCgroup();
    // With each step there is room for another of the programs, or of QEMU's threads.
    for (const limit of [1, 3, 5, 7, 9, 11]) {
      cgroup.allow(limit);
      const said = join(kata.directory, `said-${String(limit)}`);
      const create = `exec ${RUNTIME} --root ${kata.root} create --bundle ${path} limited 2>${said}`;
      const command = `echo $$ > ${cgroup.path}/cgroup.procs; ${create}`;
      const { exitCode } = await runCommand("/bin/bash", ["-c", command], { detachedStreams: true });
      expect({ limit, exitCode }).not.toEqual({ limit, exitCode: 0 });
      expect(readFileSync(said, "utf8")).not.toBe("");
      expect(await kata.ok(["list", "-q"])).toBe(id);
    }
    expect(await kata.ok(["exec", id, "echo", "goes on"])).toBe("goes on");
    await kata.create("unlimited", path);
    await kata.ok(["delete", "--force", "unlimited"]);
    await kata.ok(["delete", "--force", id]);
  });

  it("one id under two roots is two containers", async () => {
    await using one = new Kata();
    await using other = new Kata();
    for (const kata of [one, other]) {
      const { path } = await kata.bundle(SLEEP);
      await kata.create("same", path, []);
      await kata.ok(["start", "same"]);
    }
    await one.ok(["delete", "--force", "same"]);
    expect((await other.state("same")).status).toBe("running");
    expect(await other.ok(["exec", "same", "echo", "lives"])).toBe("lives");
    await other.ok(["delete", "--force", "same"]);
  });
});
