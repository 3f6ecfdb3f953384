import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { commandOf, readRecord } from "../harness/faults/victims.ts";
import { Kata } from "../harness/kata.ts";
import { SHARE } from "../harness/paths.ts";
import { IDLE, startMember, startSandbox } from "../harness/pods.ts";

const MASTER_OF_THE_GUEST = ["CAP_SYS_ADMIN", "CAP_MKNOD", "CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_FOWNER"];

/** As `docker run --privileged` has it: such a container counts as the guest's root. */
function unbound(spec: EditableSpec): void {
  const kinds = ["bounding", "effective", "permitted"].map((kind) => [kind, MASTER_OF_THE_GUEST]);
  spec.process.capabilities = Object.fromEntries(kinds);
  spec.process.noNewPrivileges = false;
  spec.root.readonly = false;
  const linux = spec.linux as Record<string, unknown>;
  linux.maskedPaths = [];
  linux.readonlyPaths = [];
  linux.resources = { devices: [{ allow: true, access: "rwm" }] };
}

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** The arguments of the VM's QEMU and virtiofsd, without what names this VM. */
function argvOf(kata: Kata, id: string): string {
  const { vm } = readRecord(kata, id);
  return vm.processes
    .map(({ pid }) => readFileSync(`/proc/${String(pid)}/cmdline`, "latin1").replaceAll("\0", " "))
    .join("\n")
    .replaceAll(vm.dir, "DIR")
    .replaceAll(id, "ID");
}

describe("a guest whose root is hostile", () => {
  expectCleanHost();

  it("writes nothing to the image that all guests boot from, which is memory to them", async () => {
    await using kata = new Kata();
    const image = join(SHARE, "rootfs.ext4");
    const before = hashOf(image);
    const id = await kata.start({ args: ["sleep", "1000"], edit: unbound });
    const inside = (script: string) => kata.run(["exec", id, "sh", "-c", script]);
    const node = "IFS=: read major minor < /sys/block/pmem0/dev; mknod /dev/disk b $major $minor";
    expect((await inside(`${node}; dd if=/dev/disk of=/dev/null bs=4096 count=1`)).exitCode).toBe(0);
    // Its kernel takes it for memory that can be written; what it writes goes nowhere but into what it has cached itself.
    const written = await inside(
      "dd if=/dev/zero of=/dev/disk bs=4096 seek=2048 count=4096 conv=fsync && echo believed",
    );
    expect(written.stdout).toBe("believed");
    expect(hashOf(image)).toBe(before);
    await kata.ok(["delete", "--force", id]);
    const other = await kata.start({ args: ["sleep", "1000"] });
    expect(await kata.ok(["exec", other, "echo", "unharmed"])).toBe("unharmed");
    await kata.ok(["delete", "--force", other]);
  });

  it("hides no process from kill --all, by the name of a control group of its own, or by its depth", async () => {
    await using kata = new Kata();
    const id = await kata.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        unbound(spec);
        spec.mounts.push({ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"] });
      },
    });
    const inside = (script: string) => kata.ok(["exec", id, "sh", "-c", script]);
    await inside(`cd /sys/fs/cgroup; odd=$(printf 'x\\377'); mkdir "$odd"
      sh -c 'echo $$ >"$0/cgroup.procs"; trap "echo told >/dev/told; exit" TERM; echo >/dev/ready; while :; do sleep 0.1; done' "$odd" </dev/null >/dev/null 2>&1 &
      until [ -e /dev/ready ]; do sleep 0.1; done`);
    expect(
      await inside("cd /sys/fs/cgroup; n=0; while mkdir d && cd d; do n=$((n + 1)); done 2>/dev/null; echo $n"),
    ).toBe("32");
    await kata.ok(["kill", "--all", id, "TERM"]);
    expect(await inside("until [ -s /dev/told ]; do sleep 0.1; done; cat /dev/told; rm /dev/told /dev/ready")).toBe(
      "told",
    );
    await kata.ok(["delete", "--force", id]);
  });

  it("takes no control groups that others of its pod need, and does not lift its own bounds", async () => {
    await using kata = new Kata();
    const sandbox = await startSandbox(kata);
    const greedy = await startMember(kata, sandbox, IDLE, (spec) => {
      spec.mounts.push({ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"] });
    });
    const inside = (script: string) => kata.ok(["exec", greedy, "sh", "-c", `cd /sys/fs/cgroup; ${script}`]);
    const bounds = "cgroup.max.descendants cgroup.max.depth pids.max memory.max";
    expect(await inside(`for file in ${bounds}; do echo max 2>/dev/null >$file || echo $file; done`)).toBe(
      bounds.replaceAll(" ", "\n"),
    );
    expect(await inside("mkdir $(seq 12000) 2>/dev/null; ls | grep -c '^[0-9]*$'")).toBe("1000");
    const other = await startMember(kata, sandbox, IDLE);
    expect(await kata.ok(["exec", other, "echo", "unharmed"])).toBe("unharmed");
    for (const id of [greedy, other, sandbox]) await kata.ok(["delete", "--force", id]);
  });

  it("writes neither to the image as a disk, nor to a volume that is read-only", async () => {
    await using kata = Kata.configured("[hypervisor.qemu]\ndisable_image_nvdimm = true\n");
    const image = join(SHARE, "rootfs.ext4");
    const before = hashOf(image);
    const volume = join(kata.directory, "volume");
    mkdirSync(volume);
    writeFileSync(join(volume, "file"), "the host's");
    const id = await kata.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        unbound(spec);
        spec.mounts.push({ destination: "/volume", type: "bind", source: volume, options: ["rbind", "ro"] });
      },
    });
    const inside = (script: string) => kata.run(["exec", id, "sh", "-c", script]);
    // The guest's kernel has it read-only, and so has QEMU: neither asking nor forcing helps.
    const node = "IFS=: read major minor < /sys/block/vda/dev; mknod /dev/disk b $major $minor";
    expect((await inside(`${node}; dd if=/dev/disk of=/dev/null bs=4096 count=1`)).exitCode).toBe(0);
    expect((await inside("dd if=/dev/zero of=/dev/disk bs=4096 count=16 conv=fsync")).exitCode).not.toBe(0);
    expect(
      (await inside("echo 0 > /sys/block/vda/ro; dd if=/dev/zero of=/dev/disk bs=4096 count=16 conv=fsync")).exitCode,
    ).not.toBe(0);
    expect(hashOf(image)).toBe(before);

    expect((await inside("cat /volume/file")).stdout).toBe("the host's");
    await inside("mount -o remount,rw,bind /volume; mount -o remount,rw /volume");
    const written = await inside("echo mine > /volume/file");
    expect(written.exitCode).not.toBe(0);
    expect(written.stderr).toContain("Read-only file system");
    expect(readFileSync(join(volume, "file"), "utf8")).toBe("the host's");
    await kata.ok(["delete", "--force", id]);
  });

  it("plants no links that the host follows, before or after", async () => {
    await using kata = new Kata();
    const canary = kata.file("canary/file", "untouched");
    const { path, rootfs } = await kata.bundle({
      args: ["sleep", "1000"],
      edit: (spec) => {
        unbound(spec);
        for (const destination of ["/etc/hosts", "/link/below", "/dev/shm"]) {
          const source = kata.file("mounted", "mounted\n");
          spec.mounts = spec.mounts.filter((mount) => mount.destination !== destination);
          spec.mounts.push({ destination, type: "bind", source, options: ["rbind"] });
        }
      },
    });
    // An image may be made so: its links must lead nowhere but to itself.
    symlinkSync(join(kata.directory, "canary"), join(rootfs, "link"));
    const mounts = readFileSync("/proc/self/mountinfo", "utf8");
    const created = await kata.run(["create", "--bundle", path, "links"], { detachedStreams: true });
    expect(existsSync(join(kata.directory, "canary", "below"))).toBe(false);
    if (created.exitCode === 0) {
      await kata.ok(["start", "links"]);
      await kata.run(["exec", "links", "sh", "-c", "rm -rf /etc /link; ln -s /proc/1/root/etc /etc; ln -s / /link"]);
      await kata.ok(["delete", "--force", "links"]);
    }
    expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(mounts);
    expect(readFileSync(canary, "utf8")).toBe("untouched");
  });

  it("has an image whose /dev leads out of it, and is refused before anything is made there", async () => {
    await using kata = new Kata();
    const { path, rootfs } = await kata.bundle({ args: ["true"] });
    rmSync(join(rootfs, "dev"), { recursive: true, force: true });
    symlinkSync("/run", join(rootfs, "dev"));
    const { exitCode, stderr } = await kata.run(["create", "--bundle", path, kata.id()]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("/dev of the root file system is a symbolic link");
    expect(await kata.ok(["list", "-q"])).toBe("");
  });

  it("writes settings of its own kernel, and none of the host's", async () => {
    await using kata = new Kata();
    const setting = "/proc/sys/kernel/core_pattern";
    const before = readFileSync(setting, "utf8");
    const id = await kata.start({ args: ["sleep", "1000"], edit: unbound });
    const script = `echo '|/tmp/mine' > ${setting}; cat ${setting}`;
    expect(await kata.ok(["exec", id, "sh", "-c", script])).toBe("|/tmp/mine");
    expect(readFileSync(setting, "utf8")).toBe(before);
    await kata.ok(["delete", "--force", id]);
  });

  it("has no descriptor, socket or directory of the host's", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"] });
    // The fourth is the directory that ls reads.
    expect(await kata.ok(["exec", id, "sh", "-c", "ls /proc/1/fd; echo; ls /proc/self/fd"])).toBe(
      "0\n1\n2\n\n0\n1\n2\n3",
    );
    for (let descriptor = 3; descriptor < 12; descriptor++) {
      const cwd = `/proc/self/fd/${String(descriptor)}`;
      const result = await kata.run(["exec", "--cwd", cwd, id, "sh", "-c", "ls ../../../.. /proc/self/cwd/"]);
      expect({ cwd, exitCode: result.exitCode }).toEqual({ cwd, exitCode: 255 });
    }
    // Sockets without a path could be reached by anybody in the host's network namespace.
    expect(readFileSync("/proc/net/unix", "latin1")).not.toMatch(/@.*kata/);
  });

  it("has a QEMU without any capability, without a way to one, and behind a filter", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"] });
    const { vm } = readRecord(kata, id);
    const qemu = vm.processes.find(({ pid }) => commandOf(pid).includes("qemu-system"))?.pid ?? 0;
    const status = readFileSync(`/proc/${String(qemu)}/status`, "latin1");
    const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      expect({ set, has: field(set) }).toEqual({ set, has: "0000000000000000" });
    expect(field("NoNewPrivs")).toBe("1");
    expect(field("Seccomp")).toBe("2");
  });

  it.each([
    ["hypervisor.path", "/bin/false"],
    ["hypervisor.virtio_fs_daemon", "/bin/false"],
    ["hypervisor.virtio_fs_extra_args", '["-o", "source=/"]'],
    ["hypervisor.kernel_params", "agent.debug_console init=/bin/sh"],
    ["hypervisor.kernel", "/etc/shadow"],
    ["hypervisor.image", "/etc/shadow"],
    ["hypervisor.machine_accelerators", "x"],
    ["hypervisor.default_memory", "1000000000"],
    ["hypervisor.default_memory", "512 -fsdev x"],
    ["runtime.disable_new_netns", "true"],
  ])("is refused where it asks by annotation for %s = %s", async (name, value) => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["true"], edit: annotated({ [name]: value }) });
    const { exitCode, stderr } = await kata.run(["create", "--bundle", path, kata.id()]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`annotation io.katacontainers.config.${name}`);
    expect(await kata.ok(["list", "-q"])).toBe("");
  });

  it("gets the size that it asks for by annotation, and nothing else changes", async () => {
    await using kata = new Kata();
    const plain = await kata.start({ args: ["sleep", "1000"] });
    const asked = await kata.start({
      args: ["sleep", "1000"],
      edit: annotated({ "hypervisor.default_memory": "512", "runtime.internetworking_model": "none" }),
    });
    const sizeless = (argv: string): string => argv.replaceAll(/(?<=-m |maxmem=|size=)\d+M/g, "SIZE");
    expect(sizeless(argvOf(kata, asked))).toBe(sizeless(argvOf(kata, plain)));
    expect(argvOf(kata, asked)).toContain("-m 512M,");
    expect(argvOf(kata, plain)).toContain("-m 2048M,");
  });
});

function annotated(asked: Readonly<Record<string, string>>): (spec: EditableSpec) => void {
  return (spec) => {
    const named = Object.entries(asked).map(([name, value]) => [`io.katacontainers.config.${name}`, value]);
    spec.annotations = Object.fromEntries(named) as Record<string, string>;
  };
}
