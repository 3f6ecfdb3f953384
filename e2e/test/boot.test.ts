import { chmodSync, existsSync, readdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { QmpClient } from "@kata-ts/qemu-driver";
import { describe, expect, it } from "vitest";
import { CHECK_CONFIG, OMITTED } from "../harness/check-config.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { Kata } from "../harness/kata.ts";
import { fetchDistribution } from "../harness/kernels.ts";
import { SHARE } from "../harness/paths.ts";

/** A runtime with a configuration of its own. */
function configured(kata: Kata, toml: string): Kata {
  return new Kata(["--config", kata.file(`configuration-${String(Math.random()).slice(2)}.toml`, toml)]);
}

/** ELF's ET_EXEC; a program that may lie anywhere is ET_DYN. */
const ELF_AT_FIXED_ADDRESSES = 2;

/** A program that stands for QEMU. @returns its path */
function program(kata: Kata, name: string, script: string): string {
  const path = kata.file(name, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The arguments of all processes. */
function commands(): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && existsSync(`/proc/${name}/cmdline`));
  return pids.map((pid) => readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim());
}

describe("guests", () => {
  expectCleanHost({ guestsMayPanic: true });

  it("run with the distribution's kernel, too", async () => {
    await using home = new Kata();
    const { kernelPath, initrdPath } = await fetchDistribution();
    await using kata = configured(home, `[hypervisor.qemu]\nkernel = "${kernelPath}"\ninitrd = "${initrdPath}"\n`);
    const { path } = await kata.bundle({ args: ["uname", "-r"] });
    expect((await kata.run(["run", "-b", path, "distribution"])).stdout).toContain("cloud-amd64");
  });

  it("are emulated with the memory barriers that devices beside them rely on", async () => {
    await using home = new Kata();
    // QEMU writes its log to a file of the host.
    await using kata = configured(home, '[hypervisor.qemu]\naccel = "tcg"\nconfine_qemu = false\n');
    const id = await kata.start({ args: ["sleep", "1000"] });
    const directory = kata.vmDirectory(id);
    await using qmp = await QmpClient.connect(join(directory, "qmp.sock"));
    const tell = (line: string) => qmp.execute("human-monitor-command", { "command-line": line });
    const translated = join(directory, "translated");
    await tell(`logfile ${translated}`);
    await tell("log op");
    await kata.ok(["exec", id, "true"]);
    await tell("log none");
    expect(readFileSync(translated, "latin1")).toMatch(/ call atomic_/);
    expect(await kata.ok(["exec", id, "cat", "/sys/devices/system/cpu/possible"])).toBe("0");
  });

  it("have a crun at fixed addresses, which is translated once", async () => {
    await using home = new Kata();
    const crun = home.file("crun", "");
    await runCommand("debugfs", ["-R", `dump /usr/bin/crun ${crun}`, join(SHARE, "rootfs.ext4")]);
    const header = readFileSync(crun).subarray(0, 64);
    expect(header.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
    expect(header.readUInt16LE(16)).toBe(ELF_AT_FIXED_ADDRESSES);
  });

  it("have page tables of four levels, and no promise of fast copies, where they are emulated", async () => {
    await using home = new Kata();
    await using kata = configured(home, '[hypervisor.qemu]\naccel = "tcg"\n');
    const { path } = await kata.bundle({ args: ["cat", "/proc/cpuinfo"] });
    const { stdout } = await kata.run(["run", "-b", path, "processor"]);
    expect(stdout).toMatch(/^flags\s*:.* smap /m);
    expect(stdout).not.toMatch(/^flags\s*:.* (erms|la57) /m);
  });

  it("share files over 9p, and start by another firmware, where the configuration says so", async () => {
    await using home = new Kata();
    const firmware = "/usr/share/seabios/bios-256k.bin";
    await using kata = configured(home, `[hypervisor.qemu]\nshared_fs = "virtio-9p"\nfirmware = "${firmware}"\n`);
    const { path } = await kata.bundle({ args: ["sh", "-c", "mount | head -1; cat /etc/passwd"] });
    const { stdout } = await kata.run(["run", "-b", path, "nine"]);
    expect(stdout).toMatch(/on \/ type 9p .*\nroot:x:0:0/);
  });

  it("have a kernel with what moby's check-config asks", async () => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["cat", "/proc/config.gz"] });
    const { stdoutBytes } = await kata.run(["run", "-b", path, "config"]);
    const config = new Set(gunzipSync(stdoutBytes).toString().split("\n"));
    const missing = CHECK_CONFIG.filter((name) => !config.has(`CONFIG_${name}=y`) && !config.has(`CONFIG_${name}=m`));
    expect(missing.sort()).toEqual(Object.keys(OMITTED).sort());
  });

  it.each([
    { what: "a kernel that is none", spoil: "kernel", phase: /phase reached: qemu/ },
    { what: "a truncated image", spoil: "image", phase: /phase reached: kernel/ },
  ])("that cannot boot end with the phase, the reason and the last lines: $what", async ({ spoil, phase }) => {
    await using home = new Kata();
    const spoiled = home.file(spoil, "not what it should be");
    if (spoil === "image") truncateSync(spoiled, 1024 * 1024);
    await using kata = configured(home, `[hypervisor.qemu]\n${spoil} = "${spoiled}"\n[runtime]\nboot_timeout = 30\n`);
    const { path } = await kata.bundle({ args: ["true"] });
    const result = await kata.run(["run", "-b", path, "unbootable"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/the guest did not come up/);
    expect(result.stderr).toMatch(phase);
    expect(readdirSync(kata.root)).toEqual([]);
  });

  it("that never come up end at the deadline", async () => {
    await using home = new Kata();
    await using kata = configured(
      home,
      '[hypervisor.qemu]\nkernel_params = "init=/bin/sh"\n[runtime]\nboot_timeout = 3\n',
    );
    const { path } = await kata.bundle({ args: ["true"] });
    const result = await kata.run(["run", "-b", path, "late"]);
    expect(result).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /did not answer within 3 s; phase reached: kernel; .*last console lines: /,
      ) as string,
    });
  });

  it("whose QEMU is too old, finds no memory, or never serves its port end so, too", async () => {
    await using home = new Kata();
    const old = program(home, "old-qemu", 'echo "qemu: -object memory-backend-memfd: invalid object type" >&2; exit 1');
    const mute = program(home, "mute-qemu", "exec sleep 1000.25");
    const cases: readonly (readonly [string, RegExp])[] = [
      [`path = "${old}"`, /phase reached: qemu; QEMU ended with status 1; QEMU said: .*invalid object type/],
      ["default_memory = 200000000", /phase reached: qemu; .*QEMU said: .*emory/],
      [`path = "${mute}"`, /did not answer within 2 s; phase reached: qemu/],
    ];
    for (const [option, message] of cases) {
      const toml = `[hypervisor.qemu]\naccel = "tcg"\n${option}\n[runtime]\nboot_timeout = 2\n`;
      await using kata = configured(home, toml);
      const { path } = await kata.bundle({ args: ["true"] });
      const result = await kata.run(["create", "-b", path, "unbootable"]);
      expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(message) as string });
      expect(readdirSync(kata.root)).toEqual([]);
    }
    expect(commands()).not.toContain("sleep 1000.25");
  });

  it("are refused with a hint when a part is missing or a value is wrong", async () => {
    await using home = new Kata();
    const cases: readonly (readonly [string, RegExp])[] = [
      ['[hypervisor.qemu]\npath = "/nonexistent/qemu"\n', /QEMU not found at \/nonexistent\/qemu .*qemu-system-x86/],
      [
        '[hypervisor.qemu]\nkernel = "/nonexistent/vmlinux"\n',
        /guest kernel not found at .*\(name one that is there: kernel in configuration\.toml\)/,
      ],
      [
        '[hypervisor.qemu]\nfirmware = "/nonexistent/bios"\n',
        /firmware not found at .*: firmware in configuration\.toml/,
      ],
      ["[hypervisor.qemu]\ndefault_memory = 1\n", /default_memory/],
      ["this is not toml", /configuration .*toml/],
    ];
    for (const [toml, message] of cases) {
      await using kata = configured(home, toml);
      const { path } = await kata.bundle({ args: ["true"] });
      expect(await kata.run(["create", "-b", path, "x"])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(message) as string,
      });
    }
  });

  it("report their accelerator, which is only KVM where a guest boots under it", async () => {
    const kernelPath = join(SHARE, "vmlinux");
    const { chooseAccelerator } = await import("@kata-ts/qemu-driver");
    const cacheFile = join("/tmp", `kata-e2e-accelerator-${String(process.pid)}.json`);
    const probe = { qemuPath: "/usr/bin/qemu-system-x86_64", kernelPath, cacheFile };
    const first = await chooseAccelerator(probe);
    expect(first.reason).not.toBe("");
    const began = performance.now();
    expect(await chooseAccelerator(probe)).toMatchObject(first); // and says since when
    expect(performance.now() - began).toBeLessThan(50); // remembered, not probed again
    await runCommand("/bin/rm", ["-f", cacheFile]);
  });
});
