import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { readRecord } from "../harness/faults/victims.ts";
import { Kata } from "../harness/kata.ts";
import { DIST } from "../harness/paths.ts";

const NAMESPACES = ["--net", "--ipc", "--uts"];
const ITS_FILES = ["--mount", "--root", "--wd=/"];

/** What root would be after, once it had come out of a guest. */
const OF_THE_HOST = [
  ...["/etc/shadow", "/etc/passwd", "/etc/ld.so.preload", "/etc/cron.d/planted", "/root/planted", "/tmp/planted"],
  ...["/proc/sys/kernel/core_pattern", "/proc/1/environ", "/proc/self/mem", "/sys/kernel/uevent_helper"],
  ...["/sys/fs/cgroup/release_agent", "/dev/mem", "/dev/kmsg", "/dev/fuse", "/dev/shm/planted", "/run/docker.sock"],
  ...["/planted", "/dev/planted", "/usr/bin/planted", "/usr/local/bin/planted", "/lib/planted"],
];

function statusOf(pid: number, field: string): string[] {
  const status = readFileSync(`/proc/${String(pid)}/status`, "latin1");
  return (new RegExp(`^${field}:[ \\t]*(.*)$`, "m").exec(status)?.[1] ?? "").split(/\s+/);
}

/** Runs a shell as if a QEMU had become one: its user, its namespaces, no capability; and its files, unless others are named. */
async function asQemu(pid: number, script: string, files: readonly string[] = ITS_FILES): Promise<string> {
  const [user = ""] = statusOf(pid, "Uid");
  const drop = ["--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"];
  const become = ["setpriv", `--reuid=${user}`, `--regid=${user}`, ...drop, "--", "sh", "-c", script];
  const { stdout } = await execa("nsenter", [`--target=${String(pid)}`, ...files, ...NAMESPACES, ...become]);
  return stdout;
}

/** Names each path that can be read, written to or made. */
function attempts(paths: readonly string[]): string {
  const each = paths.map((path) => `'${path}'`).join(" ");
  const read = 'head -c 1 "$p" >/dev/null 2>&1 && echo "reads $p"';
  const write = '( : >> "$p" ) 2>/dev/null && echo "writes $p"';
  return `for p in ${each}; do ${read}; ${write}; done; echo tried`;
}

describe("a QEMU that its guest has taken over", () => {
  expectCleanHost();

  it("finds nothing of the host's, of its own VM's directory, or of what its containers share", async () => {
    await using kata = new Kata();
    const secret = kata.file("volume/secret", "of the container's engine");
    const id = await kata.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        const source = join(kata.directory, "volume");
        spec.mounts.push({ destination: "/volume", type: "bind", source, options: ["rbind"] });
      },
    });
    expect(await kata.ok(["exec", id, "cat", "/volume/secret"])).toBe("of the container's engine");
    const { vm } = readRecord(kata, id);
    const sockets = ["qmp.sock", "agent.sock", "proxy.sock", "virtiofs.sock", "planted"].map((name) =>
      join(vm.dir, name),
    );
    const paths = [...OF_THE_HOST, ...sockets, vm.dir, join(vm.dir, "shared"), secret];
    expect(await asQemu(vm.vmm.pid, attempts(paths))).toBe("tried");
    expect(await asQemu(vm.vmm.pid, "ls -A /dev /run /proc /sys /var 2>/dev/null; true")).toBe(
      "/dev:\nnull\nrandom\nurandom\nzero",
    );
    const files = await asQemu(vm.vmm.pid, "find /tmp /root /home /opt /srv /mnt ! -type d 2>/dev/null; true");
    expect(files.split("\n").filter((path) => path !== "" && !path.startsWith(`${DIST}/share/`))).toEqual([]);
    expect(await asQemu(vm.vmm.pid, "mkdir /new || mknod /new p || chmod 777 / || echo refused")).toBe("refused");
  });

  it("has four devices, and can come to no other one", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"] });
    const { vmm: qemu } = readRecord(kata, id).vm;
    // Those that its root directory reaches.
    const mounts = readFileSync(`/proc/${String(qemu.pid)}/mountinfo`, "latin1")
      .trim()
      .split("\n");
    const places = mounts.map((line) => line.split(" ")).map(([, , , , place, options]) => ({ place, options }));
    expect(places.map(({ place }) => place)).toContain("/usr");
    expect(places.filter(({ options }) => options?.split(",").includes("nodev") !== true)).toEqual([]);
    const found = await asQemu(qemu.pid, "find / -xdev '(' -type b -o -type c ')' ! -path /dev/kvm | sort");
    expect(found.split("\n")).toEqual(["/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"]);
    const tried = "for d in / /dev /tmp /usr /var /run; do mknod $d/planted c 1 1 2>&1 && echo made; done; echo tried";
    expect((await asQemu(qemu.pid, tried)).split("\n").filter((line) => line === "made")).toEqual([]);
    expect(statusOf(qemu.pid, "CapBnd")).toEqual(["0000000000000000"]);
  });

  it("would find it all without its confinement, which `confine_qemu = false` takes away", async () => {
    await using kata = Kata.configured("[hypervisor.qemu]\nconfine_qemu = false\n");
    const id = await kata.start({ args: ["sleep", "1000"] });
    const { vm } = readRecord(kata, id);
    const found = await asQemu(vm.vmm.pid, attempts(["/etc/shadow", "/proc/sys/kernel/core_pattern"]));
    expect(found.split("\n")).toEqual([
      ...["reads /etc/shadow", "writes /etc/shadow"],
      ...["reads /proc/sys/kernel/core_pattern", "writes /proc/sys/kernel/core_pattern", "tried"],
    ]);
  });

  it("is a user that no other VM has, and cannot touch another's processes even where it sees them", async () => {
    await using kata = new Kata();
    const ids = [await kata.start({ args: ["sleep", "1000"] }), await kata.start({ args: ["sleep", "1000"] })];
    const [own = 0, other = 0] = ids.map((id) => readRecord(kata, id).vm.vmm.pid);
    const users = [own, other].map((pid) => statusOf(pid, "Uid"));
    expect(users.map((ids) => new Set(ids).size)).toEqual([1, 1]);
    expect(users[0]).not.toEqual(users[1]);
    expect([own, other].map((pid) => statusOf(pid, "Groups"))).toEqual([[""], [""]]);
    expect(users.flat().every((id) => Number(id) >= 1_900_000_000)).toBe(true);

    const look = (pid: number): string =>
      `kill -0 ${String(pid)} 2>/dev/null && echo signals
       head -c 1 /proc/${String(pid)}/environ >/dev/null 2>&1 && echo environment
       (: < /proc/${String(pid)}/mem) 2>/dev/null && echo memory
       ls /proc/${String(pid)}/fd/ >/dev/null 2>&1 && echo descriptors
       ls /proc/${String(pid)}/root/ >/dev/null 2>&1 && echo files
       echo tried`;
    // Among the host's files it sees all processes, and those of its own user are its own.
    expect(await asQemu(own, look(own), [])).toBe("signals\nenvironment\nmemory\ndescriptors\nfiles\ntried");
    for (const pid of [other, process.pid]) expect(await asQemu(own, look(pid), [])).toBe("tried");
  });

  it("dumps no core of its guest's memory, and starts no more threads than a machine has", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"] });
    const limits = readFileSync(`/proc/${String(readRecord(kata, id).vm.vmm.pid)}/limits`, "latin1");
    const limitOf = (name: string): string[] =>
      new RegExp(`^${name} +(\\d+) +(\\d+)`, "m").exec(limits)?.slice(1) ?? [];
    expect(limitOf("Max core file size")).toEqual(["0", "0"]);
    expect(limitOf("Max processes").map(Number)).toEqual([1024, 1024]);
    expect(limitOf("Max open files").every((limit) => Number(limit) <= 4096)).toBe(true);
  });

  it("gives its user back, also when its watchman is killed", async () => {
    await using kata = new Kata();
    const first = await kata.start({ args: ["sleep", "1000"] });
    const { vm } = readRecord(kata, first);
    const user = statusOf(vm.vmm.pid, "Uid");
    process.kill(vm.processes[0]?.pid ?? 0, "SIGKILL");
    await kata.until(first, "stopped");
    await kata.ok(["delete", "--force", first]);
    const second = await kata.start({ args: ["sleep", "1000"] });
    expect(statusOf(readRecord(kata, second).vm.vmm.pid, "Uid")).toEqual(user);
  });
});
