import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { memberAnnotations } from "../harness/pods.ts";
import { SavableContainer } from "../harness/savable-container.ts";

/** What processes have this among their arguments. */
function processesWith(argument: string): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => argumentsOf(pid).includes(argument));
}

function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return []; // It has just ended.
  }
}

function disksIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith("disk"));
}

describe("checkpoint and restore", () => {
  expectCleanHost();

  it("go on with a Python interpreter where it was, under other ids, once all of its processes are gone", async () => {
    await using container = await SavableContainer.create({ size: "512m" });
    const { kata, images } = container;
    const id = await container.started();
    await kata.ok(["checkpoint", "--leave-running", "--image-path", images, id]);
    expect(await container.ask(id, "two"), "the container goes on").toBe("one two");

    const existing = await kata.run(container.restore(id));
    expect(existing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("exists") as unknown });
    expect(await container.ask(id, "three"), "the container of that id").toBe("one two three");
    const partial = await kata.run(["checkpoint", "--pre-dump", "--image-path", images, id]);
    expect(partial).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("--pre-dump") as unknown });
    await kata.ok(["delete", "--force", id]);

    const other = `${id}-other`;
    await container.restoreDetached(other);
    expect(await kata.state(other)).toMatchObject({ id: other, status: "running" });
    expect(await container.ask(other, "again")).toBe("one again");
    await kata.ok(["pause", other]);
    await kata.ok(["resume", other]);
    await kata.ok(["pause", other]);
    await kata.ok(["checkpoint", "--leave-running", "--image-path", images, other]);
    expect(await kata.state(other), "it stands still as before").toMatchObject({ status: "paused" });
    await kata.ok(["checkpoint", "--image-path", images, other]);
    expect((await kata.run(["state", other])).exitCode, "it is deleted once it is saved").toBe(1);

    const last = `${id}-last`;
    const restored = kata.run(container.restore(last));
    await kata.whenRunning(last);
    expect(await container.ask(last, "more"), "it was paused, and runs").toBe("one again more");
    await kata.ok(["kill", last, "TERM"]);
    expect(await restored).toMatchObject({ exitCode: 7, stdout: "bye after 3" });
    expect((await kata.run(["state", last])).exitCode).toBe(1);
  });

  it("that fails for want of space lets the container go on, and leaves no process behind; its id can be another container's", async () => {
    await using container = await SavableContainer.create({ size: "512m" });
    const { kata, images } = container;
    const id = await container.started();
    const small = join(kata.directory, "small");
    mkdirSync(small);
    await execa("mount", ["-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", small]);
    try {
      const full = await kata.run(["checkpoint", "--image-path", small, id]);
      expect(full).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/no space left/i) as unknown });
      expect(processesWith("--guard")).toEqual([]);
      expect(readdirSync(small).filter((name) => /memory|disk|state|manifest/.test(name))).toEqual([]);
    } finally {
      await execa("umount", [small]);
    }
    expect(await container.ask(id, "two"), "the container goes on").toBe("one two");
    await kata.ok(["checkpoint", "--image-path", images, id]);

    const other = `${id}-other`;
    await container.restoreDetached(other);
    const member = await container.another(memberAnnotations(other));
    await kata.create(id, member.bundle);
    await kata.ok(["start", id]);
    expect(await kata.ok(["exec", id, "cat", "/proc/1/comm"])).toBe("sh");
    expect(await container.ask(other, "three"), "the container that had the id").toBe("one two three");
    await kata.ok(["delete", "--force", id]);
    expect(await container.ask(other, "four")).toBe("one two three four");
    await kata.ok(["delete", "--force", other]);
  });

  it("are of the machine that a container's annotations have asked for, and refuse by name what configuration.toml has changed since", async () => {
    await using container = await SavableContainer.create({ size: "512m" });
    const { kata, images } = container;
    container.annotate({ "io.katacontainers.config.hypervisor.default_memory": "384" });
    const id = await container.started();
    container.configure("default_vcpus = 2\n");
    const changed = await kata.run(["checkpoint", "--image-path", images, id]);
    expect(changed).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/memoryMiB was 384 and is 512; vcpus was 1 and is 2/) as unknown,
    });
    expect(await container.ask(id, "two"), "the container goes on").toBe("one two");
    container.configure("");
    await kata.ok(["checkpoint", "--image-path", images, id]);
    const other = `${id}-other`;
    await container.restoreDetached(other);
    expect(await container.ask(other, "three")).toBe("one two three");
    const [, total] = /^MemTotal: +(\d+) kB$/m.exec(await kata.ok(["exec", other, "cat", "/proc/meminfo"])) ?? [];
    expect(Number(total)).toBeLessThan(384 * 1024);
    await kata.ok(["delete", "--force", other]);
  });

  it("leaves container and earlier snapshot as they were when it is killed, and refuses a container that shares files", async () => {
    await using container = await SavableContainer.create({ size: "1g", extraBytes: 256 * 2 ** 20 });
    const { kata, images } = container;
    const id = await container.started();
    await kata.ok(["checkpoint", "--leave-running", "--image-path", images, id]);
    expect(await container.ask(id, "two")).toBe("one two");

    const before = disksIn(images);
    let killed = false;
    const args = ["checkpoint", "--leave-running", "--image-path", images, id];
    const result = await kata.run(args, {
      onStart: (child) => {
        const look = (): void => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          if (disksIn(images).length > before.length) killed = child.kill("SIGKILL");
          else setImmediate(look);
        };
        look();
      },
    });
    expect({ killed, signal: result.signal }, "while it copied the disk").toEqual({ killed: true, signal: "SIGKILL" });
    expect(await container.ask(id, "three"), "the container goes on").toBe("one two three");
    await kata.ok(["delete", "--force", id]);
    const other = `${id}-other`;
    await container.restoreDetached(other);
    expect(await container.ask(other, "again")).toBe("one again");

    await using plain = new Kata();
    const shared = await plain.start({ args: ["sleep", "1000"] });
    const refused = await plain.run(["checkpoint", "--image-path", images, shared]);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("shared_fs") as unknown });
    expect(await plain.state(shared)).toMatchObject({ status: "running" });
  });
});
