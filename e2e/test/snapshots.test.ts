import { chmodSync, copyFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { Sandbox } from "@kata-ts/virtcontainers";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { commandLineOf } from "../harness/command-line.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { SHARE } from "../harness/paths.ts";
import {
  COUNTER,
  changeByte,
  conversation,
  EchoServer,
  filesOf,
  only,
  Scratch,
  whenDiskIsCopied,
} from "../harness/snapshots.ts";

const vm = { kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") };

/** A sandbox of it can be saved. */
const savable = { ...vm, memoryMiB: 512, sharedFs: "none" as const };

/** The host's addresses towards sandboxes with a network of their own: that of the last one comes last. */
function hostAddresses(): string[] {
  const links = Object.entries(networkInterfaces()).filter(([name]) => name.startsWith("kts-"));
  return links.flatMap(([, addresses = []]) => addresses.map(({ address }) => address));
}

async function addressesOf(sandbox: Sandbox): Promise<unknown> {
  const { Interfaces } = await sandbox.listInterfaces();
  return Interfaces.map(({ name, IPAddresses }) => [name, IPAddresses?.map(({ address }) => address)]);
}

function qemuOf(sandbox: string): number {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return Number(pids.find((pid) => commandLineOf(pid).includes(`sandbox-${sandbox}`)));
}

/** The line of /proc/PID/maps that is about the memory of this sandbox's guest, where it is no file of its own. */
function guestMemoryOf(sandbox: string): string {
  const lines = readFileSync(`/proc/${String(qemuOf(sandbox))}/maps`, "utf8").split("\n");
  return lines.find((line) => line.includes("/memory-")) ?? "";
}

/** By the sandbox's only port of the host. */
async function passwd({ ports: [port] }: Sandbox): Promise<string> {
  return (await fetch(`http://127.0.0.1:${String(port?.host)}/passwd`)).text();
}

describe("snapshots of sandboxes", () => {
  expectCleanHost();

  it("are gone on with where they were: once the sandbox has ended, twice, and again from one that was restored", async () => {
    await using scratch = new Scratch();
    const directory = join(scratch.path, "snapshot");
    {
      await using sandbox = await Sandbox.create({ vm: savable, id: "first" });
      const container = await sandbox.createContainer({
        rootfs: await scratch.disk("root"),
        id: "counter",
        args: ["sh", "-c", COUNTER],
      });
      const ask = conversation((await container.start()).process);
      expect(await ask("a")).toBe("a 1");
      const snapshot = await sandbox.snapshot(directory);
      expect(snapshot).toMatchObject({ directory, sandboxId: "first", containers: ["counter"] });
      expect(await ask("goes on"), "the sandbox goes on").toBe("goes on 2");
    }
    for (const id of ["second", "third"]) {
      await using sandbox = await Sandbox.restore(directory, { vm: savable, id });
      const counter = only(sandbox.restored);
      const ask = conversation(counter.process);
      expect(await counter.run({ args: ["cat", "/count"] })).toMatchObject({ stdout: "1\n" });
      expect(await ask("b")).toBe("b 2");
      expect(await counter.run({ args: ["cat", "/count"] }), "its own disk").toMatchObject({ stdout: "2\n" });
      if (id !== "third") continue;
      await counter.pause();
      await sandbox.snapshot(directory, { leaveRunning: false });
    }
    await using sandbox = await Sandbox.restore(directory, { vm: savable });
    expect(await conversation(only(sandbox.restored).process)("c"), "it was paused, and runs").toBe("c 3");
  });

  it("are refused by name where they are damaged, or of another machine; what fails leaves sandbox and snapshot as they were", async () => {
    await using scratch = new Scratch();
    const directory = join(scratch.path, "snapshot");
    {
      await using sandbox = await Sandbox.create({ vm: savable });
      const rootfs = await scratch.disk("root");
      await using waiting = await sandbox.createContainer({ rootfs, id: "counter", args: ["sh", "-c", COUNTER] });
      await expect(sandbox.snapshot(directory)).rejects.toMatchObject({ code: "KATA_STATE" });
      const ask = conversation((await waiting.start()).process);
      await sandbox.snapshot(directory);
      const before = filesOf(directory);
      const late = sandbox.snapshot(directory, { deadlineMs: 1 });
      await expect(late).rejects.toMatchObject({
        code: "KATA_SNAPSHOT",
        message: expect.stringContaining("longer") as unknown,
      });
      expect(await ask("a"), "the sandbox goes on").toBe("a 1");
      expect(filesOf(directory), "the earlier snapshot").toEqual(before);

      const hung = sandbox.snapshot(directory, { deadlineMs: 20_000 });
      hung.catch(() => undefined);
      const qemu = qemuOf(sandbox.id);
      await whenDiskIsCopied(directory, () => process.kill(qemu, "SIGSTOP"));
      await expect(hung).rejects.toMatchObject({
        code: "KATA_SNAPSHOT",
        message: expect.stringContaining("stands still") as unknown,
        hint: expect.stringContaining("goes on once its monitor answers") as unknown,
      });
      expect(filesOf(directory), "the earlier snapshot").toEqual(before);
      process.kill(qemu, "SIGCONT");
      expect(await ask("b"), "the sandbox goes on when its QEMU does").toBe("b 2");
    }
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & 0o077, name).toBe(0);

    const refused = async (message: RegExp, options = { vm: savable }): Promise<void> => {
      const restored = Sandbox.restore(directory, options);
      await expect(restored).rejects.toMatchObject({
        code: "KATA_SNAPSHOT",
        message: expect.stringMatching(message) as unknown,
      });
    };
    await refused(/memoryMiB was 512 and is 256/, { vm: { ...savable, memoryMiB: 256 } });
    const other = join(scratch.path, "other-image");
    copyFileSync(savable.imagePath, other);
    writeFileSync(other, "x", { flag: "r+" });
    await refused(/image was [0-9a-f]{64} and is [0-9a-f]{64}/, { vm: { ...savable, imagePath: other } });
    for (const kind of ["memory", "state", "disk0"]) {
      const name = readdirSync(directory).find((each) => each.startsWith(`${kind}-`)) ?? kind;
      const path = join(directory, name);
      const { size } = statSync(path);
      const byte = await changeByte(path, 5000);
      await refused(new RegExp(`${name} is not what was written`));
      await changeByte(path, 5000, byte);
      truncateSync(path, size + 1);
      await refused(new RegExp(`${name} has ${String(size + 1)} bytes instead of ${String(size)}`));
      truncateSync(path, size);
    }
    const manifest = join(directory, "manifest.json");
    const written = readFileSync(manifest, "utf8");
    writeFileSync(manifest, written.replace('"counter"', '"another"'));
    await refused(/manifest.json cannot be used: it is not what was written/);
    writeFileSync(manifest, written.replace('"format":1', '"format":2'));
    await refused(/it is of format 2, and this release reads format 1/);
    writeFileSync(manifest, written);
    chmodSync(directory, 0o770);
    await refused(/other users can write/);
    chmodSync(directory, 0o700);

    await using sandbox = await Sandbox.restore(directory, { vm: savable });
    expect(await conversation(only(sandbox.restored).process)("b")).toBe("b 1");
  });

  it("have another network: connections of the sandbox go on, those of a restored one are reset, its addresses stay", async () => {
    await using scratch = new Scratch();
    const directory = join(scratch.path, "snapshot");
    await using echo = await EchoServer.start();
    const ports = [{ container: 8000 }];
    const network = { network: "nat", ports } as const;
    await using sandbox = await Sandbox.create({ vm: savable, ...network });
    const script = `httpd -p 8000 -h /etc; while read host; do nc $host ${String(echo.port)}; echo over; done`;
    const rootfs = await scratch.disk("root");
    await using container = await sandbox.createContainer({ rootfs, args: ["sh", "-c", script] });
    const { process: first } = await container.start();
    const ask = conversation(first);
    first.stdin.write(`${hostAddresses().at(-1) ?? ""}\n`);
    expect(await ask("a")).toBe("a");
    await sandbox.waitFor({ http: { port: 8000, path: "/passwd" } });
    const addresses = await addressesOf(sandbox);

    await sandbox.snapshot(directory);
    expect(await ask("b"), "the same connection").toBe("b");
    expect(await addressesOf(sandbox)).toEqual(addresses);
    expect(await passwd(sandbox)).toContain("root:");
    expect(echo.connections).toBe(1);

    for (const id of ["second", "third"]) {
      await using restored = await Sandbox.restore(directory, { vm: savable, id, ...network });
      const { process: nc } = only(restored.restored);
      const lines = nc[Symbol.asyncIterator]();
      expect(await lines.next(), "its connection is over").toMatchObject({ value: "over" });
      expect(await addressesOf(restored)).toEqual(addresses);
      expect(await passwd(restored)).toContain("root:");
      nc.stdin.write(`${hostAddresses().at(-1) ?? ""}\n${id}\n`);
      expect(await lines.next()).toMatchObject({ value: id });
      expect(await ask(id), "the first one's goes on").toBe(id);
      // What is saved of it is saved as before.
      if (id === "second") await restored.snapshot(directory, { leaveRunning: false });
    }
    await using without = await Sandbox.restore(directory, { vm: savable });
    expect((await without.listInterfaces()).Interfaces.map(({ name }) => name)).not.toContain("eth0");
  });

  it("make copies of a sandbox that runs, whose memory is in common until it is written to, and copies of these", async () => {
    await using scratch = new Scratch();
    const rootfs = await scratch.disk("root");
    const before = readdirSync(scratch.path);
    const { stdout: version } = await runCommand("qemu-system-x86_64", ["--version"]);
    const mapsMemory = /version (?:8\.[2-9]|9|\d\d)/.test(version);
    await using sandbox = await Sandbox.create({ vm: savable, id: "zero" });
    const container = await sandbox.createContainer({ rootfs, id: "counter", args: ["sh", "-c", COUNTER] });
    const ask = conversation((await container.start()).process);
    expect(await ask("a")).toBe("a 1");
    await using copies = new AsyncDisposableStack();
    const forked = await sandbox.fork(2, { ids: ["one", "two"], directory: scratch.path });
    for (const copy of forked) copies.use(copy);
    expect(forked.map(({ id }) => id)).toEqual(["one", "two"]);
    expect(readdirSync(scratch.path)).toEqual(before);
    expect(await ask("b"), "the sandbox goes on").toBe("b 2");
    const random: Set<string> = new Set();
    for (const copy of forked) {
      const counter = only(copy.restored);
      expect(await conversation(counter.process)("c")).toBe("c 2");
      expect(await counter.run({ args: ["cat", "/count"] }), "its own disk").toMatchObject({ stdout: "2\n" });
      random.add((await counter.run({ args: ["cat", "/proc/sys/kernel/random/uuid"] })).stdout);
      const seconds = Number((await counter.run({ args: ["date", "+%s"] })).stdout);
      expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(5);
      // An older QEMU is given a copy.
      if (mapsMemory) expect(guestMemoryOf(copy.id)).toMatch(/ rw-p .*\/memory-/);
    }
    expect(random.size).toBe(2);
    const [one] = forked;
    for (const copy of (await one?.fork(1, { directory: scratch.path })) ?? []) {
      await using third = copy;
      const counter = only(third.restored);
      expect(await conversation(counter.process)("d"), "of a copy's own memory").toBe("d 3");
      expect(await counter.run({ args: ["cat", "/count"] })).toMatchObject({ stdout: "3\n" });
    }
    const refused = sandbox.fork(2, { ids: ["one", "no/id"], directory: scratch.path });
    await expect(refused).rejects.toMatchObject({ code: "KATA_ID_INVALID" });
    expect(readdirSync(scratch.path)).toEqual(before);
    expect(await ask("e")).toBe("e 3");
  });

  it("suspend a sandbox: its memory is the host's, and it goes on under its id, with its ports", async () => {
    await using scratch = new Scratch();
    const network = { network: "nat", ports: [{ container: 8000 }] } as const;
    const sandbox = await Sandbox.create({ vm: savable, id: "resting", ...network });
    const rootfs = await scratch.disk("root");
    const args = ["sh", "-c", `httpd -p 8000 -h /etc; ${COUNTER}`];
    const container = await sandbox.createContainer({ rootfs, id: "counter", args });
    expect(await conversation((await container.start()).process)("a")).toBe("a 1");
    const { ports } = sandbox;
    const suspended = await sandbox.suspend(join(scratch.path, "snapshot"));
    expect(sandbox.isRunning).toBe(false);
    await using resumed = await suspended.resume();
    expect(resumed.id).toBe("resting");
    expect(resumed.ports).toEqual(ports);
    expect(await conversation(only(resumed.restored).process)("b")).toBe("b 2");
    expect(await passwd(resumed)).toContain("root:");
  });

  it("need a sandbox that shares no files: another one is refused by name, and so is a root file system in a directory", async () => {
    await using scratch = new Scratch();
    await using shared = await Sandbox.create({ vm: { ...savable, sharedFs: "virtio-fs" } });
    const refused = shared.snapshot(join(scratch.path, "snapshot"));
    await expect(refused).rejects.toMatchObject({
      code: "KATA_UNSUPPORTED",
      hint: expect.stringContaining("vm.sharedFs") as unknown,
    });
    expect(shared.isRunning).toBe(true);

    await using sandbox = await Sandbox.create({ vm: savable });
    const rootfs = await busyboxRootfs();
    await expect(sandbox.run({ rootfs, args: ["true"] })).rejects.toMatchObject({ code: "KATA_UNSUPPORTED" });
    const setting = join(scratch.path, "setting");
    writeFileSync(setting, "copied\n");
    const mount = { type: "bind", source: setting, destination: "/etc/setting", options: ["bind", "ro"] };
    const disk = await scratch.disk("root");
    const script = "cat /etc/setting; echo x 2>/dev/null > /etc/setting || echo read-only";
    const args = ["sh", "-c", script];
    expect(await sandbox.run({ rootfs: disk, args, mounts: [mount] })).toMatchObject({ stdout: "copied\nread-only\n" });
    const directory = sandbox.run({ rootfs: disk, args, mounts: [{ ...mount, source: scratch.path }] });
    await expect(directory).rejects.toMatchObject({
      code: "KATA_UNSUPPORTED",
      message: expect.stringContaining("not a file") as unknown,
    });
  });
});
