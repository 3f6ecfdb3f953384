import { existsSync, readdirSync, readFileSync, renameSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { inNamespace } from "@kata-ts/linux";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { commandOf, readRecord } from "../harness/faults/victims.ts";
import { Kata } from "../harness/kata.ts";
import { fieldOf, NO_PRIVILEGES, privilegesOf, rootsOf } from "../harness/privileges-of.ts";

/** It may mount, as with `docker run --privileged`. */
function masterOfTheGuest(spec: EditableSpec): void {
  const capabilities = ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_FOWNER"];
  spec.process.capabilities = { bounding: capabilities, effective: capabilities, permitted: capabilities };
  spec.root.readonly = false;
}

interface Shims {
  readonly container: number;
  readonly exec: number;
}

async function startBoth(kata: Kata): Promise<Shims & { readonly id: string; readonly qemu: number }> {
  const id = await kata.start({ args: ["sleep", "1000"] });
  const pidFile = kata.file("exec.pid", "");
  await kata.ok(["exec", "--detach", "--pid-file", pidFile, id, "sleep", "1000"], { detachedStreams: true });
  const { shim, vm } = readRecord(kata, id);
  return { id, container: shim.pid, exec: Number(readFileSync(pidFile, "utf8")), qemu: vm.vmm.pid };
}

describe("a kata-shim that its guest has taken over", () => {
  expectCleanHost();

  it("has no privilege in any of its threads, and a user that no other program has", async () => {
    await using kata = new Kata();
    const { container, exec, qemu } = await startBoth(kata);
    const [[user = ""] = []] = fieldOf(qemu, "Uid");
    const own = String(Number(user) + 1);
    for (const pid of [container, exec]) {
      expect(privilegesOf(pid)).toEqual(NO_PRIVILEGES);
      expect(fieldOf(pid, "Uid")).toEqual([[own, own, own, own]]);
      expect(fieldOf(pid, "Gid")).toEqual([[own, own, own, own]]);
    }
  });

  it("has the container's files, or none, as the root directory of all its threads", async () => {
    await using kata = new Kata();
    const { id, container, exec } = await startBoth(kata);
    const { rootfs } = await kata.state(id);
    expect(rootsOf(container)).toEqual({ roots: 1, entries: readdirSync(rootfs).sort() });
    expect(rootsOf(exec)).toEqual({ roots: 1, entries: [] });
  });

  it("opens no device that the container's files name, and neither does an engine that joins it", async () => {
    await using kata = new Kata();
    const { id, container } = await startBoth(kata);
    const { rootfs } = await kata.state(id);
    await execa("mknod", [join(rootfs, "zero"), "c", "1", "5"]);
    const { stdout } = await execa("nsenter", [
      "-t",
      String(container),
      "-m",
      "sh",
      "-c",
      "cat /zero 2>&1; echo in /*",
    ]);
    expect(stdout).toMatch(/^cat: .*Permission denied\nin \/bin /);
    await execa("rm", [join(rootfs, "zero")]);
  });

  it("keeps its own proc, also where the guest's root moves the directory", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"], edit: masterOfTheGuest });
    const { shim, vm } = readRecord(kata, id);
    const tried = await kata.ok([
      "exec",
      id,
      "sh",
      "-c",
      "umount -l /proc; mv /proc /old; rmdir /proc; mkdir /proc; echo tried",
    ]);
    expect(tried).toBe("tried");
    const daemon = vm.processes.find(({ pid }) => commandOf(pid).includes("virtiofsd"))?.pid ?? 0;
    // Its kernel has refused that already. Another kernel would ask the daemon, where it is refused as well.
    inNamespace("mnt", `/proc/${String(daemon)}/ns/mnt`, () => {
      const root = readdirSync("/").find((name) => name.endsWith("-pinned")) ?? "";
      expect(existsSync(`/${root}/bin/sh`)).toBe(true);
      for (const change of [
        () => {
          renameSync(`/${root}/proc`, `/${root}/old`);
        },
        () => {
          rmdirSync(`/${root}/proc`);
        },
      ])
        expect(change).toThrow("EBUSY");
    });
    const { stdout } = await execa("nsenter", ["-t", String(shim.pid), "-m", "cat", "/proc/1/cmdline"]);
    expect(stdout).toContain("kata-shim");
  });

  it("would be root, with all its capabilities, without `confine_qemu`", async () => {
    await using kata = Kata.configured("[hypervisor.qemu]\nconfine_qemu = false\n");
    const { container, exec } = await startBoth(kata);
    for (const pid of [container, exec]) {
      expect(fieldOf(pid, "Uid")).toEqual([["0", "0", "0", "0"]]);
      expect(fieldOf(pid, "CapEff")).not.toEqual(NO_PRIVILEGES.CapEff);
      // It starts no program in any case.
      expect({ filter: fieldOf(pid, "Seccomp"), rights: fieldOf(pid, "NoNewPrivs") }).toEqual({
        filter: [["2"]],
        rights: [["1"]],
      });
    }
  });
});
