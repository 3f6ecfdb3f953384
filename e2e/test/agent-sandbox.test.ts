import { RpcStatus, specToMessage } from "@kata-ts/agent-protocol";
import { defaultSpec } from "@kata-ts/virtcontainers";
import { describe, expect, it } from "vitest";
import {
  exec,
  guestWithRootfs,
  output,
  ROOTFS,
  SHARE,
  startContainer,
  startedSandbox,
} from "../harness/agent-calls.ts";
import { expectCleanHost } from "../harness/clean-host.ts";

describe("the sandbox of the agent, over the original's contract", () => {
  expectCleanHost();

  it("gives containers of a sandbox shared hostnames and IPC, and processes on request", async () => {
    await using guest = await guestWithRootfs();
    using agent = await guest.connect();
    await startedSandbox(agent, true);
    await startContainer(agent, "a", ["sleep", "1000"], true);
    await startContainer(agent, "b", ["sleep", "2000"], true);
    const links = "readlink /proc/self/ns/uts /proc/self/ns/ipc /proc/self/ns/pid";
    const [first, second] = [await exec(agent, "a", "x", links), await exec(agent, "b", "y", links)];
    expect(first.stdout).toBe(second.stdout);
    expect((await exec(agent, "a", "z", "ps")).stdout).toContain("sleep 2000");
    await startContainer(agent, "c", ["sleep", "3000"], false);
    expect((await exec(agent, "c", "w", "ps")).stdout).not.toContain("sleep 2000");
  });

  it("mounts storages: ephemeral, local and 9p, each once for all its users", async () => {
    await using guest = await guestWithRootfs();
    using agent = await guest.connect();
    await agent.createSandbox({
      sandbox_id: "s",
      storages: [
        SHARE,
        {
          driver: "ephemeral",
          source: "shm",
          fstype: "tmpfs",
          options: ["mode=1777", "size=1048576"],
          mount_point: "/run/kata-containers/sandbox/shm",
        },
        { driver: "local", options: ["mode=0750"], mount_point: "/run/kata-containers/sandbox/local" },
      ],
    });
    const bind = (source: string, destination: string) => ({ source, destination, type: "bind", options: ["rbind"] });
    const args = ["sh", "-c", "cat /mnt/share/hello; df -k /mnt/shm | tail -1; stat -c %a /mnt/local"];
    const base = defaultSpec({ args });
    const mounts = [
      ...(base.mounts ?? []),
      { destination: "/mnt", type: "tmpfs", source: "tmpfs" },
      bind("/run/kata-containers/shared/containers", "/mnt/share"),
      bind("/run/kata-containers/sandbox/shm", "/mnt/shm"),
      bind("/run/kata-containers/sandbox/local", "/mnt/local"),
    ];
    const OCI = specToMessage({ ...base, root: { path: ROOTFS, readonly: true }, mounts });
    await agent.createContainer({ container_id: "m", exec_id: "m", OCI });
    await agent.startContainer({ container_id: "m" });
    expect((await output(agent, "m")).stdout).toMatch(/^over 9p\nshm +1024 .*\n750\n$/);
    await agent.destroySandbox({});
    await expect(
      agent.createSandbox({ sandbox_id: "s", storages: [{ driver: "floppy", mount_point: "/run/kata-containers/x" }] }),
    ).rejects.toMatchObject({ status: RpcStatus.InvalidArgument });
    await expect(
      agent.createSandbox({ sandbox_id: "s", storages: [{ driver: "local", mount_point: "/etc" }] }),
    ).rejects.toMatchObject({ status: RpcStatus.InvalidArgument });
  });

  it("mounts a volume once for containers that are created at the same moment", async () => {
    await using guest = await guestWithRootfs();
    using agent = await guest.connect();
    await startedSandbox(agent);
    const mount_point = "/run/kata-containers/volume";
    const storages = [{ driver: "ephemeral", source: "tmpfs", fstype: "tmpfs", mount_point }];
    const volume = { source: mount_point, destination: "/tmp", type: "bind", options: ["rbind"] };
    const base = defaultSpec({ args: ["sleep", "1000"] });
    const mounts = [...(base.mounts ?? []), volume];
    const OCI = specToMessage({ ...base, root: { path: ROOTFS, readonly: true }, mounts });
    const create = (id: string) => agent.createContainer({ container_id: id, exec_id: id, storages, OCI });
    await Promise.all([create("a"), create("b")]);
    for (const id of ["a", "b"]) await agent.startContainer({ container_id: id });
    await exec(agent, "a", "w", "echo kept > /tmp/file");
    await agent.removeContainer({ container_id: "a" });
    await create("c");
    await agent.startContainer({ container_id: "c" });
    for (const id of ["b", "c"]) expect((await exec(agent, id, `r${id}`, "cat /tmp/file")).stdout).toBe("kept\n");
  });

  it("looks after its guest: details, clock, random pool, files, CPUs", async () => {
    await using guest = await guestWithRootfs();
    using agent = await guest.connect();
    const details = await agent.getGuestDetails({ mem_block_size: true, mem_hotplug_probe: true });
    expect(Number(details.mem_block_size_bytes)).toBe(128 * 1024 * 1024);
    expect(details.agent_details).toMatchObject({
      init_daemon: true,
      supports_seccomp: true,
      storage_handlers: ["virtio-fs", "9p", "blk", "scsi", "nvdimm", "mmioblk", "ephemeral", "local"],
    });
    await agent.setGuestDateTime({ Sec: 2_000_000_000, Usec: 5 });
    await agent.reseedRandomDev({ data: Buffer.alloc(512, 7) });
    await agent.onlineCPUMem({ wait: true, nb_cpus: 0 });
    const path = "/run/kata-containers/copied/file";
    const chunk = { path, file_size: 10, file_mode: 0o644, dir_mode: 0o755, uid: 5, gid: 6 };
    await agent.copyFile({ ...chunk, offset: 0, data: Buffer.from("01234") });
    await agent.copyFile({ ...chunk, offset: 5, data: Buffer.from("56789") });
    await expect(
      agent.copyFile({ ...chunk, path: "/run/kata-containers/../../etc/passwd", data: Buffer.from("x") }),
    ).rejects.toMatchObject({ status: RpcStatus.InvalidArgument });
    await startedSandbox(agent);
    const base = defaultSpec({ args: ["sh", "-c", "cat /mnt/file; stat -c ' %a %u %g' /mnt/file; date +%s"] });
    const mounts = [
      ...(base.mounts ?? []),
      { destination: "/mnt", source: "/run/kata-containers/copied", type: "bind", options: ["rbind"] },
    ];
    await agent.createContainer({
      container_id: "f",
      exec_id: "f",
      OCI: specToMessage({ ...base, root: { path: ROOTFS, readonly: true }, mounts }),
    });
    await agent.startContainer({ container_id: "f" });
    const [file, now] = (await output(agent, "f")).stdout.trim().split("\n");
    expect(file).toBe("0123456789 644 5 6");
    expect(Number(now) - 2_000_000_000).toBeLessThan(60);
  });
});
