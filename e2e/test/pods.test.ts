import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { MAPPED_ROOT, mapUsers } from "../harness/mapped-users.ts";
import { IDLE, joinNamespaces, memberAnnotations, startMember, startSandbox } from "../harness/pods.ts";

interface Listed {
  readonly id: string;
  readonly status: string;
}

async function statuses(kata: Kata): Promise<Record<string, string>> {
  const listed = JSON.parse(await kata.ok(["list", "--format", "json"])) as Listed[];
  return Object.fromEntries(listed.map(({ id, status }) => [id, status]));
}

describe("pods", () => {
  expectCleanHost();

  it("have one VM, and containers with a root, processes and limits of their own", async () => {
    await using kata = new Kata();
    const sandbox = await startSandbox(kata);
    const limited = await startMember(kata, sandbox, IDLE, (spec) => {
      spec.linux = { ...(spec.linux as object), resources: { memory: { limit: 64 * 1024 ** 2 }, pids: { limit: 50 } } };
    });
    const other = await startMember(kata, sandbox, IDLE);
    expect(kata.vmDirectory(limited)).toBe(kata.vmDirectory(sandbox));
    const inside = (id: string, script: string): Promise<string> => kata.ok(["exec", id, "sh", "-c", script]);
    // Of their own:
    await inside(limited, "echo mine > /root/file");
    expect((await kata.run(["exec", other, "ls", "/root/file"])).exitCode).toBe(1);
    expect(await inside(limited, "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max")).toBe("67108864\n50");
    expect(await inside(other, "cat /sys/fs/cgroup/memory.max")).toBe("max");
    expect(await inside(other, "ps -o args | grep -c '[t]rap exit'")).toBe("1");
    // In common:
    expect(await inside(other, "hostname")).toBe("podhost");
    for (const kind of ["net", "uts", "ipc"]) {
      const look = `readlink /proc/self/ns/${kind}`;
      expect(await inside(other, look)).toBe(await inside(limited, look));
    }
    // Each has an event of its own.
    const pids = await Promise.all([sandbox, limited, other].map(async (id) => (await kata.state(id)).pid));
    expect(new Set(pids).size).toBe(3);
    expect(JSON.parse(await kata.ok(["ps", "--format", "json", other]))).toEqual([pids[2]]);
    const stats = JSON.parse(await kata.ok(["events", "--stats", limited])) as { data: { memory: object } };
    expect(stats.data.memory).toMatchObject({ usage: { limit: 64 * 1024 ** 2 } });
    await kata.ok(["kill", limited, "KILL"]);
    await kata.until(limited, "stopped");
    expect(await statuses(kata)).toEqual({ [sandbox]: "running", [limited]: "stopped", [other]: "running" });
  });

  it("end with the record of their last container, the first one's gone before", async () => {
    await using kata = new Kata();
    const sandbox = await startSandbox(kata);
    const first = await startMember(kata, sandbox, IDLE);
    const second = await startMember(kata, sandbox, IDLE);
    const vm = kata.vmDirectory(sandbox);
    // As podman stops a pod: its first container goes while the others run.
    await kata.ok(["kill", sandbox, "KILL"]);
    await kata.until(sandbox, "stopped");
    await kata.ok(["delete", sandbox]);
    expect(await kata.ok(["exec", first, "hostname"])).toBe("podhost");
    await kata.ok(["delete", "--force", first]);
    expect(await kata.ok(["exec", second, "echo", "alive"])).toBe("alive");
    expect(existsSync(vm)).toBe(true);
    await kata.ok(["delete", "--force", second]);
    expect(existsSync(vm)).toBe(false);
  });

  it("end whole when their VM crashes, and are deleted in any order", async () => {
    await using kata = new Kata();
    const sandbox = await startSandbox(kata);
    const member = await startMember(kata, sandbox, IDLE);
    const record = JSON.parse(readFileSync(join(kata.root, sandbox, "kata.json"), "utf8")) as {
      vm: { vmm: { pid: number } };
    };
    process.kill(record.vm.vmm.pid, "SIGKILL");
    await kata.until(member, "stopped");
    await kata.until(sandbox, "stopped");
    const { path } = await kata.bundle({
      args: ["true"],
      edit: (spec) => {
        spec.annotations = memberAnnotations(sandbox);
      },
    });
    const late = await kata.run(["create", "--bundle", path, kata.id()]);
    expect(late.stderr).toMatch(/sandbox .* is not running/);
    await kata.ok(["delete", member]);
    await kata.ok(["delete", sandbox]);
  });

  it("have one user namespace, whose root may change their hostname, however engines write that it is joined", async () => {
    await using kata = new Kata();
    const sandbox = await startSandbox(kata, (spec) => {
      mapUsers(spec, kata);
    });
    const path = `/proc/${String((await kata.state(sandbox)).pid)}/ns/user`;
    const administrator = (spec: EditableSpec): void => {
      const set = ["CAP_SYS_ADMIN", "CAP_CHOWN"];
      spec.process.capabilities = { bounding: set, effective: set, permitted: set };
    };
    // containerd repeats the mappings beside the path.
    const first = await startMember(kata, sandbox, IDLE, (spec) => {
      mapUsers(spec, kata, { path });
      administrator(spec);
    });
    // podman writes there what only satisfies runc.
    const second = await startMember(kata, sandbox, IDLE, (spec) => {
      mapUsers(spec, kata, { path, mapping: [{ containerID: 0, hostID: 0, size: 1 }] });
      administrator(spec);
    });
    const inside = (id: string, script: string): Promise<string> => kata.ok(["exec", id, "sh", "-c", script]);
    const members = [sandbox, first, second];
    const look = `hostname; id -u; echo $(cat /proc/self/uid_map) $(cat /proc/self/gid_map); stat -c %u:%g /bin /dev/pts
for kind in user uts ipc net; do readlink /proc/self/ns/$kind; done`;
    const [ofSandbox, ...others] = await Promise.all(members.map((id) => inside(id, look)));
    expect(ofSandbox).toMatch(/^podhost\n0\n0 100000 65536 0 100000 65536\n0:0\n0:0\nuser:/);
    expect(others).toEqual([ofSandbox, ofSandbox]);
    await inside(second, "hostname changed");
    expect(await Promise.all(members.map((id) => inside(id, "hostname")))).toEqual(["changed", "changed", "changed"]);
    await inside(first, "touch /root/file; chown 7:8 /root/file");
    const { rootfs } = await kata.state(first);
    const { uid, gid } = statSync(join(rootfs, "root/file"));
    expect([uid, gid]).toEqual([MAPPED_ROOT + 7, MAPPED_ROOT + 8]);
  });

  it("share their processes when asked, over 9p as well", async () => {
    await using kata = Kata.configured('[hypervisor.qemu]\nshared_fs = "virtio-9p"\n');
    const sandbox = await startSandbox(kata);
    const { pid } = await kata.state(sandbox);
    const sharing = ["sh", "-c", "trap exit TERM; sleep 7777 & wait"];
    const first = await startMember(kata, sandbox, sharing, (spec) => {
      joinNamespaces(spec, pid, ["pid"]);
    });
    const second = await startMember(kata, sandbox, IDLE, (spec) => {
      joinNamespaces(spec, pid, ["pid"]);
    });
    const seen = await kata.ok(["exec", second, "ps", "-o", "args"]);
    expect(seen).toContain("sleep 7777");
    await kata.ok(["delete", "--force", first]);
    expect(await kata.ok(["exec", second, "ps", "-o", "args"])).not.toContain("sleep 7777");
  });

  it("have shared memory and volumes in their VM's memory, which outlive a container", async () => {
    await using kata = new Kata();
    const host = mkdtempSync(join(tmpdir(), "kata-e2e-volumes-"));
    const shm = join(host, "shm");
    const volume = join(host, "volumes", "kubernetes.io~empty-dir", "memory");
    for (const [path, size, name] of [
      [shm, "8m", "shm"],
      [volume, "16m", "tmpfs"],
    ] as const) {
      mkdirSync(path, { recursive: true });
      await execa("mount", ["-t", "tmpfs", "-o", `size=${size}`, name, path]);
    }
    try {
      const mounts = [
        { destination: "/dev/shm", type: "bind", source: shm, options: ["rbind", "rw"] },
        { destination: "/volume", type: "bind", source: volume, options: ["rbind", "rw"] },
      ];
      const share = (spec: { mounts: { destination: string }[] }): void => {
        spec.mounts = [...spec.mounts.filter(({ destination }) => destination !== "/dev/shm"), ...mounts];
      };
      const sandbox = await startSandbox(kata, share);
      const first = await startMember(kata, sandbox, IDLE, share);
      const write = "df -m /dev/shm /volume | awk '{print $2}'; echo kept | tee /dev/shm/x /volume/x";
      expect(await kata.ok(["exec", first, "sh", "-c", write])).toBe("1M-blocks\n8\n16\nkept");
      await kata.ok(["delete", "--force", first]);
      const second = await startMember(kata, sandbox, IDLE, share);
      expect(await kata.ok(["exec", second, "cat", "/dev/shm/x", "/volume/x"])).toBe("kept\nkept");
      expect(existsSync(join(volume, "x"))).toBe(false);
      await kata.ok(["delete", "--force", second]);
      // A volume that a container has in the place of the pod's shared memory has its own size and content.
      const third = await startMember(kata, sandbox, IDLE, (spec) => {
        const own = { destination: "/dev/shm", type: "bind", source: volume, options: ["rbind", "rw"] };
        spec.mounts = [...spec.mounts.filter(({ destination }) => destination !== "/dev/shm"), own];
      });
      const look = "df -m /dev/shm | awk '{print $2}'; cat /dev/shm/x";
      expect(await kata.ok(["exec", third, "sh", "-c", look])).toBe("1M-blocks\n16\nkept");
      await kata.ok(["delete", "--force", third]);
      await kata.ok(["delete", "--force", sandbox]);
    } finally {
      for (const path of [shm, volume]) await execa("umount", [path]);
      rmSync(host, { recursive: true });
    }
  });

  it("have one volume in memory, whole and by a path in it; a Secret's memory stays the host's", async () => {
    await using kata = new Kata();
    const host = mkdtempSync(join(tmpdir(), "kata-e2e-volumes-"));
    const kubelet = join(host, "pods", "uid");
    const volume = join(kubelet, "volumes", "kubernetes.io~empty-dir", "memory");
    const secret = join(kubelet, "volumes", "kubernetes.io~secret", "token");
    // As the kubelet does it: the directory is made in the volume, and mounted somewhere else.
    const subPath = join(kubelet, "volume-subpaths", "memory", "second", "0");
    for (const path of [volume, secret]) {
      mkdirSync(path, { recursive: true });
      await execa("mount", ["-t", "tmpfs", "tmpfs", path]);
    }
    try {
      mkdirSync(join(volume, "part"), { mode: 0o750 });
      chownSync(join(volume, "part"), 0, 2000);
      writeFileSync(join(secret, "token"), "from the host");
      mkdirSync(subPath, { recursive: true });
      await execa("mount", ["--bind", join(volume, "part"), subPath]);
      const mounting = (source: string) => (spec: { mounts: { destination: string }[] }) => {
        const mount = (destination: string, from: string) => ({
          destination,
          type: "bind",
          source: from,
          options: ["rbind"],
        });
        spec.mounts = [...spec.mounts, mount("/volume", source), mount("/secret", secret)];
      };
      const sandbox = await startSandbox(kata, mounting(volume));
      const second = await startMember(kata, sandbox, IDLE, mounting(subPath));
      const first = await startMember(kata, sandbox, IDLE, mounting(volume));
      const write = "echo seen > /volume/x; cat /secret/token; stat -c ' %a %g' /volume";
      expect(await kata.ok(["exec", second, "sh", "-c", write])).toBe("from the host 750 2000");
      expect(await kata.ok(["exec", first, "cat", "/volume/part/x"])).toBe("seen");
      expect(existsSync(join(volume, "part", "x"))).toBe(false);
      // A link in the volume leads nowhere.
      await kata.ok(["exec", first, "sh", "-c", "rm -r /volume/part; ln -s / /volume/part"]);
      await kata.ok(["delete", "--force", second]);
      const { path } = await kata.bundle({
        args: [...IDLE],
        edit: (spec) => {
          mounting(subPath)(spec);
          spec.annotations = memberAnnotations(sandbox);
        },
      });
      const linked = await kata.run(["create", "--bundle", path, kata.id()]);
      expect(linked.stderr).toContain("leads somewhere else by a link");
      for (const id of [first, sandbox]) await kata.ok(["delete", "--force", id]);
    } finally {
      for (const path of [subPath, volume, secret]) await execa("umount", [path]);
      rmSync(host, { recursive: true });
    }
  });

  it("are refused with annotations that say half of it", async () => {
    await using kata = new Kata();
    const refused = async (annotations: Record<string, string>): Promise<string> => {
      const { path } = await kata.bundle({
        args: ["true"],
        edit: (spec) => {
          spec.annotations = annotations;
        },
      });
      return (await kata.run(["create", "--bundle", path, kata.id()])).stderr;
    };
    expect(await refused({ "io.kubernetes.cri.container-type": "container" })).toMatch(/sandbox-id is missing/);
    expect(await refused({ "io.kubernetes.cri-o.ContainerType": "pod" })).toMatch(/unknown container type .*pod/);
    expect(await refused(memberAnnotations("nobody"))).toMatch(/container does not exist: nobody/);
    expect(await kata.ok(["list", "-q"])).toBe("");
  });
});
