import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type RunningContainer, Sandbox } from "@kata-ts/virtcontainers";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { Kata } from "../harness/kata.ts";
import { newerQemu } from "../harness/newer-qemu.ts";
import { DIST, SHARE } from "../harness/paths.ts";
import { COUNTER, conversation, only, Scratch } from "../harness/snapshots.ts";

const guest = {
  ...{ kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4"), memoryMiB: 512 },
  virtiofsdPath: join(DIST, "libexec", "kata-ts", "virtiofsd"),
};

/** Counts in memory, in a file that it keeps open, and in a volume, from a directory of its own. */
const WRITER = `cd /home/deep; exec 5>>/log; n=0
while read line; do n=$((n + 1)); echo "$line $n" >&5; echo $n > /volume/count; echo "$line $n $(wc -l < /log) $(pwd)"; done`;

interface Place {
  readonly rootfs: string;
  readonly volume: string;
}

async function placeIn(scratch: Scratch): Promise<Place> {
  const [rootfs, volume] = [join(scratch.path, "rootfs"), join(scratch.path, "volume")];
  cpSync(await busyboxRootfs(), rootfs, { recursive: true, verbatimSymlinks: true });
  mkdirSync(join(rootfs, "home/deep"), { recursive: true });
  mkdirSync(volume);
  return { rootfs, volume };
}

async function started(sandbox: Sandbox, { rootfs, volume }: Place, script: string): Promise<RunningContainer> {
  const container = await sandbox.createContainer({
    ...{ rootfs, id: "writer", args: ["sh", "-c", script] },
    mounts: [{ type: "bind", source: volume, destination: "/volume", options: ["rbind", "rw"] }],
  });
  return container.start();
}

/** Of processors and devices. */
function stateBytes(directory: string): number {
  const state = readdirSync(directory).find((name) => name.startsWith("state-")) ?? "";
  return statSync(join(directory, state)).size;
}

describe("snapshots of sandboxes whose files are the host's", () => {
  expectCleanHost();

  it("go on with open files, in directories of the host: the sandbox, what is restored, and what is restored from that", async () => {
    await using scratch = new Scratch();
    const vm = { ...guest, ...(await newerQemu(scratch.path)), savable: true };
    const place = await placeIn(scratch);
    const directory = join(scratch.path, "snapshot");
    {
      await using sandbox = await Sandbox.create({ vm });
      const ask = conversation((await started(sandbox, place, WRITER)).process);
      expect(await ask("a")).toBe("a 1 1 /home/deep");
      await sandbox.snapshot(directory);
      expect(await ask("goes on")).toBe("goes on 2 2 /home/deep");
    }
    for (const [index, id] of ["second", "third"].entries()) {
      await using sandbox = await Sandbox.restore(directory, { vm, id });
      const container = only(sandbox.restored);
      const ask = conversation(container.process);
      // Memory is what it was; the files are those of now.
      expect(await ask(id)).toBe(`${id} ${String(index + 2)} ${String(index + 3)} /home/deep`);
      expect(readFileSync(join(place.volume, "count"), "utf8")).toBe(`${String(index + 2)}\n`);
      const { stdout } = await container.run({ args: ["tail", "-n1", "/log"] });
      expect(stdout).toBe(`${id} ${String(index + 2)}\n`);
      await sandbox.snapshot(directory);
    }
    expect(readFileSync(join(place.rootfs, "log"), "utf8").split("\n")).toHaveLength(5);
  });

  it("are refused by name: with a removed file open, where a directory is another one, and of programs that are too old", async () => {
    await using scratch = new Scratch();
    const newer = await newerQemu(scratch.path);
    const vm = { ...guest, ...newer, savable: true };
    const place = await placeIn(scratch);
    const directory = join(scratch.path, "snapshot");
    {
      await using sandbox = await Sandbox.create({ vm });
      const script = `while read line; do case $line in
        open) exec 5>/gone; rm /gone;; close) exec 5>&-;;
        enter) mkdir -p /left/deep; cd /left/deep; rm -r /left;; leave) cd /;;
      esac; echo $line; done`;
      const ask = conversation((await started(sandbox, place, script)).process);
      expect(await ask("open")).toBe("open");
      const refused = (name: RegExp): Promise<void> =>
        expect(sandbox.snapshot(directory)).rejects.toMatchObject({
          code: "KATA_UNSUPPORTED",
          message: expect.stringMatching(name) as unknown,
        });
      await refused(/the guest uses .*\/gone, which was removed/);
      expect(await ask("close"), "it goes on").toBe("close");
      expect(await ask("enter")).toBe("enter");
      await refused(/the guest uses .*\/left(?:\/deep)?, which was removed/);
      expect(await ask("leave"), "it goes on").toBe("leave");
      await sandbox.snapshot(directory);
    }
    const log = join(place.rootfs, "log");
    const removed = join(scratch.path, "removed");
    {
      await using sandbox = await Sandbox.create({ vm });
      const ask = conversation((await started(sandbox, place, WRITER)).process);
      expect(await ask("a")).toBe("a 1 1 /home/deep");
      await sandbox.snapshot(removed);
    }
    rmSync(log);
    await expect(Sandbox.restore(removed, { vm })).rejects.toMatchObject({
      code: "KATA_SNAPSHOT",
      message: expect.stringMatching(/could not be restored: .*vhost-user-fs/) as unknown,
    });
    renameSync(place.volume, `${place.volume}-before`);
    mkdirSync(place.volume);
    await expect(Sandbox.restore(directory, { vm })).rejects.toMatchObject({
      code: "KATA_SNAPSHOT",
      message: `${place.volume} is not what the guest had there when it was saved`,
    });

    const old = join(scratch.path, "old");
    cpSync("/bin/echo", old);
    const daemon = Sandbox.create({ vm: { ...vm, virtiofsdPath: old } });
    await expect(daemon).rejects.toMatchObject({ message: expect.stringContaining("virtiofsd") as unknown });
    if (newer.confinement === undefined) return;
    await expect(Sandbox.create({ vm: { ...guest, savable: true } })).rejects.toMatchObject({
      code: "KATA_UNSUPPORTED",
      message: expect.stringContaining("8.2 is the first that saves them") as unknown,
    });
  });

  it("leave the memory out of the machine's state; a copy whose memory is mapped from a file is refused by name", async () => {
    await using scratch = new Scratch();
    const vm = { ...guest, ...(await newerQemu(scratch.path)), sharedFs: "none" as const };
    const directory = join(scratch.path, "snapshot");
    await using sandbox = await Sandbox.create({ vm });
    const rootfs = await scratch.disk("root");
    const container = await sandbox.createContainer({ rootfs, args: ["sh", "-c", COUNTER] });
    const ask = conversation((await container.start()).process);
    expect(await ask("a")).toBe("a 1");
    await sandbox.snapshot(directory);
    expect(stateBytes(directory)).toBeLessThan(4 * 2 ** 20);
    const [copy] = await sandbox.fork(1, { directory: scratch.path });
    await using copied = copy;
    expect(copied && (await conversation(only(copied.restored).process)("b"))).toBe("b 2");
    await expect(copied?.snapshot(directory)).rejects.toMatchObject({
      code: "KATA_UNSUPPORTED",
      message: expect.stringContaining("is a copy whose memory is mapped") as unknown,
    });
    expect(copied && (await conversation(only(copied.restored).process)("c"))).toBe("c 3");
    await using restored = await Sandbox.restore(directory, { vm });
    expect(await conversation(only(restored.restored).process)("d")).toBe("d 2");
  });

  it("are taken and restored by kata-runtime of a container with a root file system in a directory", async () => {
    await using scratch = new Scratch();
    const { qemuPath, confinement } = await newerQemu(scratch.path);
    const confine = confinement === undefined ? "" : "confine_qemu = false\n";
    const toml = `[hypervisor.qemu]\nenable_checkpoint = true\npath = "${qemuPath}"\n${confine}default_memory = 512\n`;
    await using kata = Kata.configured(toml);
    const script = "n=0; exec 5>>/log; mkfifo /in; while read line; do n=$((n + 1)); echo $line $n >&5; done <>/in";
    const { path, rootfs } = await kata.bundle({
      args: ["sh", "-c", script],
      edit: (spec) => {
        spec.root.readonly = false;
      },
    });
    const [id, images] = [kata.id(), join(kata.directory, "images")];
    const logged = async (container: string, line: string): Promise<string> => {
      const say = `until test -p /in; do :; done; echo ${line} > /in; until grep ${line} /log; do :; done`;
      return kata.ok(["exec", container, "sh", "-c", say]);
    };
    await kata.create(id, path);
    await kata.ok(["start", id]);
    expect(await logged(id, "a")).toBe("a 1");
    await kata.ok(["checkpoint", "--image-path", images, id]);
    const other = `${id}-other`;
    const restore = ["restore", "--detach", "--bundle", path, "--image-path", images, other];
    expect(await kata.run(restore, { detachedStreams: true })).toMatchObject({ exitCode: 0 });
    expect(await logged(other, "b")).toBe("b 2");
    expect(readFileSync(join(rootfs, "log"), "utf8")).toBe("a 1\nb 2\n");
    await kata.ok(["delete", "--force", other]);
  });
});
