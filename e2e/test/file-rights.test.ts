import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MountFlag, mount, unmount } from "@kata-ts/linux";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
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
