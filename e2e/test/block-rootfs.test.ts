import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { basename, join } from "node:path";
import { QmpClient } from "@kata-ts/qemu-driver";
import { Sandbox } from "@kata-ts/virtcontainers";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { readRecord } from "../harness/faults/victims.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { Kata } from "../harness/kata.ts";
import { SHARE } from "../harness/paths.ts";
import { IDLE, memberAnnotations, startSandbox } from "../harness/pods.ts";

const WITH_DEVICES = "[hypervisor.qemu]\ndisable_block_device_use = false\n";

/** By the line of configuration.toml: what two disks of a guest are called, whose image is none. */
const DRIVERS = [
  ['block_device_driver = "virtio-blk"', ["vda", "vdb"]],
  ['block_device_driver = "virtio-scsi"', ["sda", "sdb"]],
] as const;

/** A bundle whose root file system is a loop device's, as engines with a device mapper have it. */
async function deviceBundle(
  kata: Kata,
  name: string,
  args: readonly string[],
): Promise<{ path: string; device: string }> {
  const image = join(kata.directory, `${name}.ext4`);
  await execa("mke2fs", ["-q", "-t", "ext4", "-d", await busyboxRootfs(), image, "64m"]);
  const { stdout: device } = await execa("losetup", ["--find", "--show", image]);
  const { path, rootfs } = await kata.bundle({
    args,
    edit: (spec) => {
      spec.root.readonly = false;
    },
  });
  rmSync(rootfs, { recursive: true });
  mkdirSync(rootfs);
  await execa("mount", [device, rootfs]);
  return { path, device };
}

/** What a file of the device's file system has in it; on the host, when the guest is done with it. */
async function readFrom(kata: Kata, device: string, file: string): Promise<string> {
  const directory = join(kata.directory, "looked-at");
  mkdirSync(directory, { recursive: true });
  await execa("mount", ["-o", "ro", device, directory]);
  try {
    return readFileSync(join(directory, file), "utf8");
  } finally {
    await execa("umount", [directory]);
  }
}

/** A loop device with this many mebibytes of zeroes, and what the specification has to say of it. */
async function volume(
  kata: Kata,
  name: string,
): Promise<{ device: string; image: string; major: number; minor: number }> {
  const image = kata.file(name, "");
  truncateSync(image, 4 * 2 ** 20);
  const { stdout: device } = await execa("losetup", ["--find", "--show", image]);
  const [major = 0, minor = 0] = readFileSync(`/sys/class/block/${basename(device)}/dev`, "latin1")
    .split(":")
    .map(Number);
  return { device, image, major, minor };
}

function annotate(kata: Kata, bundle: string, annotations: object): void {
  const spec = JSON.parse(readFileSync(join(bundle, "config.json"), "utf8")) as object;
  kata.file(bundle.slice(kata.directory.length + 1).concat("/config.json"), JSON.stringify({ ...spec, annotations }));
}

/** Lets QEMU write only so many bytes a second to the last disk that was plugged in. */
async function slowDown(qmpSocket: string, bytesPerSecond: number): Promise<void> {
  await using qmp = await QmpClient.connect(qmpSocket);
  const disks = (await qmp.execute("query-block")) as { readonly qdev?: string }[];
  const limits = { bps: 0, bps_rd: 0, bps_wr: bytesPerSecond, iops: 0, iops_rd: 0, iops_wr: 0 };
  await qmp.execute("block_set_io_throttle", { id: disks.at(-1)?.qdev, ...limits });
}

describe("block devices as volumes", () => {
  expectCleanHost();

  it.each(DRIVERS)(
    "are the guest's by %s, under the name and with the rights that were asked for; one in use stays the host's",
    async (driver, drives) => {
      await using kata = Kata.configured(`${WITH_DEVICES}${driver}\n`);
      await using loops = new AsyncDisposableStack();
      const [own, locked, busy] = await Promise.all(["own", "locked", "busy"].map((name) => volume(kata, name)));
      if (own === undefined || locked === undefined || busy === undefined) throw new Error("no volumes");
      for (const { device } of [own, locked, busy]) {
        loops.defer(async () => {
          await execa("losetup", ["--detach", device]);
        });
      }
      await execa("mke2fs", ["-q", "-t", "ext4", busy.device]);
      const mounted = join(kata.directory, "mounted");
      mkdirSync(mounted);
      await execa("mount", [busy.device, mounted]);
      loops.defer(async () => {
        await execa("umount", [mounted]);
      });
      const script = [
        "echo from the guest | dd of=/dev/own conv=notrunc 2>/dev/null && echo written",
        "echo x | dd of=/dev/locked conv=notrunc 2>/dev/null || echo refused",
        "own=$(printf '%d:%d' $(stat -c '0x%t 0x%T' /dev/own)); locked=$(printf '%d:%d' $(stat -c '0x%t 0x%T' /dev/locked))",
        "cat /sys/dev/block/$locked/ro; for disk in $own $locked; do basename $(readlink /sys/dev/block/$disk); done",
      ].join("; ");
      const { path } = await kata.bundle({
        args: ["sh", "-c", script],
        edit: (spec) => {
          const linux = spec.linux as { devices?: object[]; resources: { devices: object[] } };
          const all = { own, locked, busy };
          linux.devices = Object.entries(all).map(([name, { major, minor }]) => ({
            ...{ path: `/dev/${name}`, type: "b", major, minor, fileMode: 0o660, uid: 0, gid: 0 },
          }));
          linux.resources.devices.push(
            ...Object.entries(all).map(([name, { major, minor }]) => ({
              ...{ allow: true, type: "b", major, minor, access: name === "locked" ? "rm" : "rwm" },
            })),
          );
        },
      });
      const result = await kata.run(["run", "--bundle", path, kata.id()]);
      expect(result.stdout.split("\n")).toEqual(["written", "refused", "1", ...drives]);
      expect(result.stderr).toContain(`${busy.device} is not given to the guest`);
      expect(readFileSync(own.image, "latin1")).toMatch(/^from the guest\n/);
      expect(readFileSync(locked.image)[0]).toBe(0);
    },
  );

  it("come and go with a container of an embedded sandbox", async () => {
    await using kata = new Kata();
    const { device, image } = await volume(kata, "volume");
    try {
      const rootfs = await busyboxRootfs();
      await using sandbox = await Sandbox.create({
        vm: { kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") },
      });
      const devices = [{ device, path: "/dev/volume" }];
      for (const word of ["first", "second"]) {
        const args = ["sh", "-c", `echo ${word} | dd of=/dev/volume conv=notrunc,fsync 2>/dev/null`];
        expect((await sandbox.run({ rootfs, args, devices })).exitCode).toBe(0);
        expect(readFileSync(image, "latin1").slice(0, word.length)).toBe(word);
      }
      await expect(sandbox.run({ rootfs, args: ["true"], devices: [{ device: "/dev/null" }] })).rejects.toThrow(
        "/dev/null is not a block device",
      );
    } finally {
      await execa("losetup", ["--detach", device]);
    }
  });
});

describe("a root file system on a block device", () => {
  expectCleanHost();

  it("is the guest's while its container is there, and the host's again after it", async () => {
    await using kata = Kata.configured(WITH_DEVICES);
    const script = "awk '$2 == \"/\" {print $1, $3}' /proc/mounts; echo written > /root/file";
    const { path, device } = await deviceBundle(kata, "own", ["sh", "-c", script]);
    try {
      const result = await kata.run(["run", "--bundle", path, kata.id()]);
      expect([result.stdout, result.stderr]).toEqual([expect.stringMatching(/^\/dev\/vd[a-z] ext4$/), ""]);
      expect(await readFrom(kata, device, "root/file")).toBe("written\n");
    } finally {
      await execa("losetup", ["--detach", device]);
    }
  });

  it.each([
    ["alone in its VM", false],
    ["in a pod", true],
  ])("has what its container wrote, however slow it is, when the container is deleted: %s", async (_, inPod) => {
    await using kata = Kata.configured(WITH_DEVICES);
    const sandbox = inPod ? await startSandbox(kata) : undefined;
    const write = "head -c 20000000 /dev/zero | tr '\\0' x > /root/file";
    const { path, device } = await deviceBundle(kata, "slow", ["sh", "-c", write]);
    if (sandbox !== undefined) annotate(kata, path, memberAnnotations(sandbox));
    try {
      const id = kata.id();
      await kata.create(id, path);
      await slowDown(join(readRecord(kata, id).vm.dir, "qmp.sock"), 5_000_000);
      await kata.ok(["start", id]);
      await kata.until(id, "stopped");
      const { exitCode, stderr } = await kata.run(["delete", id]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(await readFrom(kata, device, "root/file")).toBe("x".repeat(20_000_000));
      if (sandbox !== undefined) await kata.ok(["delete", "--force", sandbox]);
    } finally {
      await execa("losetup", ["--detach", device]);
    }
  });

  it.each(DRIVERS)("comes and goes with one container of a pod by %s, and others have its place", async (driver) => {
    await using kata = Kata.configured(`${WITH_DEVICES}${driver}\n`);
    const sandbox = await startSandbox(kata);
    const { path, device } = await deviceBundle(kata, "member", IDLE);
    annotate(kata, path, memberAnnotations(sandbox));
    try {
      const rootfs = join(path, "rootfs");
      for (const turn of ["first", "second"]) {
        if (turn === "second") await execa("mount", [device, rootfs]);
        const member = kata.id();
        await kata.create(member, path);
        await kata.ok(["start", member]);
        await kata.ok(["exec", member, "sh", "-c", `echo ${turn} >>/root/file`]);
        await kata.ok(["delete", "--force", member]);
      }
      expect(await readFrom(kata, device, "root/file")).toBe("first\nsecond\n");
      expect(await kata.ok(["exec", sandbox, "echo", "alive"])).toBe("alive");
      await kata.ok(["delete", "--force", sandbox]);
    } finally {
      await execa("losetup", ["--detach", device]);
    }
  });

  it("stays the host's where a create fails, where others have it, and by default", async () => {
    await using kata = Kata.configured(WITH_DEVICES);
    const { path, device } = await deviceBundle(kata, "kept", ["no-such-program"]);
    const elsewhere = join(kata.directory, "elsewhere");
    mkdirSync(elsewhere);
    const mounted = (): boolean => existsSync(join(path, "rootfs", "bin"));
    try {
      expect((await kata.run(["run", "--bundle", path, kata.id()])).stderr).toMatch(/no-such-program/);
      expect(mounted()).toBe(true);
      const show = ["sh", "-c", "awk '$2 == \"/\" {print $3}' /proc/mounts"];
      const spec = JSON.parse(readFileSync(join(path, "config.json"), "utf8")) as { process: { args: string[] } };
      spec.process.args = show;
      kata.file(path.slice(kata.directory.length + 1).concat("/config.json"), JSON.stringify(spec));
      await execa("mount", [device, elsewhere]);
      expect((await kata.run(["run", "--bundle", path, kata.id()])).stdout).toBe("virtiofs");
      await execa("umount", [elsewhere]);
      await using usual = new Kata();
      expect((await usual.run(["run", "--bundle", path, usual.id()])).stdout).toBe("virtiofs");
      expect(mounted()).toBe(true);
      await execa("umount", [join(path, "rootfs")]);
    } finally {
      await execa("losetup", ["--detach", device]);
    }
  });
});
