import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { MountFlag, mount, unmount } from "@kata-ts/linux";
import { ContainerFileError } from "@kata-ts/virtcontainers";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { withContainer } from "../harness/files-container.ts";
import { hostProgramsImage, volume, withHostPrograms } from "../harness/host-programs.ts";
import { Kata } from "../harness/kata.ts";
import { ROOT } from "../harness/paths.ts";

const PROGRAM = "file-rights.py";

/** An owner root, a group 2000, which may write and passes itself on: what `fsGroup: 2000` makes of a volume. */
function ofGroup(path: string): string {
  mkdirSync(path, { recursive: true });
  chownSync(path, 0, 2000);
  chmodSync(path, 0o2775);
  return path;
}

/** A file system of the host's, mounted for as long as the test takes. */
function mounted(path: string, type: string): Disposable {
  mkdirSync(path, { recursive: true });
  mount("none", path, type, MountFlag.nodev);
  return {
    [Symbol.dispose]: () => {
      unmount(path);
    },
  };
}

/** Programs that become other users. */
function withUsers(spec: EditableSpec): void {
  withHostPrograms(spec);
  const sets = ["bounding", "effective", "permitted"].map((set) => [set, ["CAP_SETUID", "CAP_SETGID"]]);
  spec.process.capabilities = Object.fromEntries(sets);
}

describe("rights of shared files", () => {
  expectCleanHost();

  it("count supplementary groups where a file is created: in the root file system, a volume, one in memory", async () => {
    await using kata = new Kata();
    const data = ofGroup(join(kata.directory, "data"));
    const memory = join(kata.directory, "kubernetes.io~empty-dir/memory");
    using _memory = mounted(memory, "tmpfs");
    ofGroup(memory);
    const script = `
for place in /srv/own /data /memory; do
  touch $place/file && mkdir $place/dir && ln -s file $place/link && mkfifo $place/fifo && mv $place/file $place/moved
  stat -c '%a %u:%g' $place/moved $place/dir $place/fifo; stat -c '%u:%g' $place/link
done`;
    const { path, rootfs } = await kata.bundle({
      args: ["sh", "-c", script],
      edit: (spec) => {
        const user = { uid: 1000, gid: 1000, additionalGids: [3000, 2000, 4000], umask: 0o022 };
        spec.process.user = user;
        spec.root.readonly = false;
        spec.mounts.push(volume(data, "/data"), volume(memory, "/memory"));
      },
    });
    ofGroup(join(rootfs, "srv/own"));
    const made = ["644 1000:2000", "2755 1000:2000", "644 1000:2000", "1000:2000"];
    const told = await kata.ok(["run", "--bundle", path, kata.id()]);
    expect(told.split("\n")).toEqual([...made, ...made, ...made]);
  });

  it("are those of ACLs, which are inherited, copied and set as on the host", async () => {
    await using kata = new Kata();
    const directories: string[] = [];
    for (const name of ["shared", "copies", "native", "native-copies"]) {
      directories.push(join(kata.directory, name));
      mkdirSync(join(kata.directory, name));
      chmodSync(join(kata.directory, name), 0o777);
    }
    const [shared = "", copies = "", native = "", nativeCopies = ""] = directories;
    chmodSync(kata.directory, 0o755); // Other users are to come as far as the files.
    const onHost = async (...args: string[]) =>
      (await execa("python3", [join(ROOT, "e2e/harness", PROGRAM), ...args])).stdout;
    for (const directory of [shared, native]) await onHost("prepare", directory);
    const id = await kata.start({
      image: hostProgramsImage(kata),
      args: ["sleep", "1000"],
      edit: (spec) => {
        withUsers(spec);
        spec.mounts.push(volume(shared, "/shared"), volume(copies, "/copies"));
      },
    });
    const told: unknown = JSON.parse(
      await kata.ok(["exec", id, "python3", `/harness/${PROGRAM}`, "tell", "/shared", "/copies"]),
    );
    expect(told).toEqual(JSON.parse(await onHost("tell", native, nativeCopies)));
    expect(told).toMatchObject({
      granted: ["granted", "EACCES"],
      denied: ["EACCES", "denied"],
      heir: { file: ["664", "1:6 2:6 4:6 16:6 32:4"] },
      own: ["600", "660", "640", "1:6 2:6 4:0 16:4 32:0"],
      copies: { "cp -a": ["640", "1:6 2:6 4:0 16:4 32:0"] },
    });
    // The host has what the guest has set.
    const acl = await onHost("rules", join(shared, "own/file"));
    expect(acl).toBe("1:6 2:6 4:0 16:4 32:0");
    await kata.ok(["delete", "--force", id]);
  }, 300_000);

  it("are those of the mode bits on a file system of the host that has no ACLs", async () => {
    await using kata = new Kata();
    const plain = join(kata.directory, "plain");
    using _plain = mounted(plain, "ramfs");
    chmodSync(plain, 0o755);
    writeFileSync(join(plain, "file"), "for the group", { mode: 0o640 });
    chownSync(join(plain, "file"), 0, 2000);
    const id = await kata.start({
      image: hostProgramsImage(kata),
      args: ["sleep", "1000"],
      edit: (spec) => {
        withUsers(spec);
        spec.mounts.push(volume(plain, "/plain"));
      },
    });
    const read = async (group: string): Promise<unknown> =>
      JSON.parse(await kata.ok(["exec", id, "python3", `/harness/${PROGRAM}`, "read", "/plain/file", "1000", group]));
    expect(await read("2000")).toBe("for the group");
    expect(await read("3000")).toBe("EACCES");
    await kata.ok(["delete", "--force", id]);
  }, 300_000);
});

describe("files of a container, as its library reaches them", () => {
  expectCleanHost();

  it("lead nowhere else, whatever the container makes of its links and names", async () => {
    await withContainer(async (container, directory) => {
      const { files } = container;
      const running = await container.start();
      const script = [
        `ln -s ${directory}/secret /srv/absolute`,
        `ln -s ../../../../../../../..${directory}/secret /srv/relative`,
        "ln -s / /srv/root",
        "ln -s /proc/1/root /srv/magic",
        "ln -s /srv/loop /srv/loop",
        "mkfifo /srv/fifo",
        "ln -s /dev/null /srv/device",
        "ln -s /proc/sysrq-trigger /srv/trigger",
      ].join("; ");
      expect(await running.run({ args: ["sh", "-c", script] })).toMatchObject({ exitCode: 0, stderr: "" });
      for (const [path, errno] of [
        ["/srv/absolute", "ENOENT"],
        ["/srv/relative", "ENOENT"],
        [`/srv/root${directory}/secret`, "ENOENT"],
        [`/../../../..${directory}/secret`, "ENOENT"],
        ["/srv/magic/etc", "ELOOP"],
        ["/srv/loop", "ELOOP"],
        ["/srv/fifo", "EINVAL"],
        ["/srv/device", "EINVAL"],
      ] as const) {
        await expect(files.read(path), path).rejects.toMatchObject({ code: "KATA_FILE", errno });
        await expect(files.write(path, "x"), path).rejects.toMatchObject({ code: "KATA_FILE" });
      }
      await expect(files.write("/srv/trigger", "b")).rejects.toMatchObject({
        errno: expect.stringMatching(/EPERM|EROFS|EINVAL/) as string,
      });
      // The guest's own files are not the container's either.
      await expect(files.read("/srv/root/run/kata-containers/sandbox/resolv.conf")).rejects.toMatchObject({
        errno: "ENOENT",
      });
      expect(readFileSync(join(directory, "secret"), "utf8")).toBe("the host's");
    });
  });

  it("stay the container's while it exchanges links for directories as fast as it can", async () => {
    await withContainer(async (container, directory) => {
      const { files } = container;
      const running = await container.start();
      const swap = `mkdir -p /srv/real; echo mine > /srv/real/secret; cd /srv
        while :; do ln -sfn ${directory} at; ln -sfn real at; rm at; mkdir at; rmdir at; done`;
      const swapping = await running.exec({ args: ["sh", "-c", swap] });
      const seen: Set<string> = new Set();
      for (let round = 0; round < 20; round += 1) {
        seen.add(
          await files
            .readText("/srv/at/secret")
            .catch((error: unknown) => (error instanceof ContainerFileError ? error.errno : String(error))),
        );
        await files.write("/srv/at/written", "x").catch(() => undefined);
        await files.remove("/srv/at", { recursive: true, force: true }).catch(() => undefined);
      }
      await swapping.kill("SIGKILL");
      await swapping.result();
      for (const each of seen) expect(["mine\n", "ENOENT", "ENOTDIR", "ELOOP"]).toContain(each);
      expect(readdirSync(directory)).toEqual(["secret"]);
    });
  });

  it("are bounded: a file that grows, a directory of a hundred thousand, and a call that takes too long", async () => {
    await withContainer(async (container) => {
      const { files } = container;
      const running = await container.start();
      const growing = await running.exec({ args: ["sh", "-c", "while :; do echo growing >> /srv/log; done"] });
      while (!(await files.exists("/srv/log"))) await setImmediate();
      expect((await files.readText("/srv/log")).startsWith("growing\n")).toBe(true);
      expect((await buffer(files.copyOut("/srv/log"))).length % 512).toBe(0);
      await growing.kill("SIGKILL");
      await growing.result();

      const made = await running.run({ args: ["sh", "-c", "mkdir /srv/many; cd /srv/many; seq 100000 | xargs touch"] });
      expect(made).toMatchObject({ exitCode: 0, stderr: "" });
      expect(new Set((await files.list("/srv/many")).map(({ name }) => name)).size).toBe(100_000);
      await expect(files.list("/srv/many", { maxEntries: 99_999 })).rejects.toMatchObject({ errno: "EFBIG" });
      await expect(files.list("/srv/many", { timeoutMs: 5 })).rejects.toMatchObject({ code: "KATA_TIMEOUT" });
      await expect(files.list("/srv/many", { signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
      const left = files.copyOut("/srv/many");
      await once(left, "data");
      left.destroy();
      await files.remove("/srv/many", { recursive: true });
      expect(await files.exists("/srv/many")).toBe(false);
      expect((await running.run({ args: ["true"] })).exitCode).toBe(0); // The agent serves on.
    });
  });
});
