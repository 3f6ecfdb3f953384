import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Conversation } from "../harness/conversation.ts";
import { commandOf, readRecord } from "../harness/faults/victims.ts";
import { hostProgramsImage, volume, withHostPrograms } from "../harness/host-programs.ts";
import { Kata } from "../harness/kata.ts";

const PROGRAM = ["python3", "/harness/host-files.py"];

/** A container with this machine's programs and an empty directory of the host at /data, which stays until it is deleted. */
async function started(kata: Kata, edit: (spec: EditableSpec) => void = () => undefined) {
  const data = join(kata.directory, "data");
  mkdirSync(data);
  const id = await kata.start({
    image: hostProgramsImage(kata),
    args: ["sleep", "1000"],
    edit: (spec) => {
      withHostPrograms(spec);
      spec.mounts.push(volume(data, "/data"));
      edit(spec);
    },
  });
  const tell = async (...args: string[]): Promise<unknown> =>
    JSON.parse(await kata.ok(["exec", id, ...PROGRAM, ...args]));
  return { id, data, tell };
}

describe("files of the host, in a container", () => {
  expectCleanHost();

  it("can be created while the host creates and removes them", async () => {
    await using kata = new Kata();
    const { id, data, tell } = await started(kata);
    const file = join(data, "file");
    const ended = new AbortController();
    const host = (async () => {
      while (!ended.signal.aborted) {
        for (let turn = 0; turn < 100; turn++) {
          writeFileSync(file, "x");
          rmSync(file, { force: true });
        }
        await new Promise(setImmediate);
      }
    })();
    try {
      expect(await tell("race", "/data/file", "3000")).toBe("alive");
    } finally {
      ended.abort();
      await host;
    }
    expect(await kata.ok(["exec", id, "echo", "alive"])).toBe("alive");
    await kata.ok(["delete", "--force", id]);
  }, 300_000);

  it("may be more than the host's limit of open files, and be used after they are removed", async () => {
    await using kata = new Kata();
    const { id, data } = await started(kata);
    const { vm } = readRecord(kata, id);
    const daemon = vm.processes.find(({ pid }) => commandOf(pid).includes("virtiofsd"))?.pid ?? 0;
    const { stdout: children } = await execa("pgrep", ["-P", String(daemon)]);
    for (const pid of [String(daemon), ...children.split("\n")]) await execa("prlimit", ["--pid", pid, "--nofile=400"]);
    mkdirSync(join(data, "many"));
    for (let index = 0; index < 2000; index++) writeFileSync(join(data, "many", String(index)), "x");
    const count = "find /data/many -type f -size -2 -newermt 2000-01-01 | wc -l";
    expect(await kata.ok(["exec", id, "sh", "-c", count])).toBe("2000");
    const removed =
      "exec 3<>/data/many/1; rm /data/many/1; echo more >&3; stat -L -c %s /proc/self/fd/3; chmod 600 /proc/self/fd/3";
    expect(await kata.ok(["exec", id, "sh", "-c", removed])).toBe("5");
    await kata.ok(["delete", "--force", id]);
  }, 300_000);

  it("are what they are when they are opened, however lately they were looked at", async () => {
    await using kata = new Kata();
    const single = kata.file("single", "first");
    const { id, data } = await started(kata, (spec) => {
      spec.mounts.push(volume(single, "/etc/single"));
    });
    await using guest = await Conversation.start(kata, id, [...PROGRAM, "opener"]);
    /** What the guest opens after it has looked, and the host has made a change since. */
    const openedAfter = async (path: string, change: () => void): Promise<unknown> => {
      expect(await guest.ask(path)).toBe("seen");
      change();
      return JSON.parse(await guest.ask("open"));
    };
    const file = join(data, "file");
    // The former one stays under another name: the agent notices by itself that a file is gone.
    const replace = (path: string, make: (path: string) => void): void => {
      make(`${path}.new`);
      renameSync(path, `${path}.former`);
      renameSync(`${path}.new`, path);
    };
    for (const name of ["old", "new"]) {
      mkdirSync(join(data, name));
      writeFileSync(join(data, name, "key"), `of the ${name} one`);
    }
    const link = (name: string) => (path: string) => {
      symlinkSync(name, path);
    };
    // Within the second each time, or at least in some of the turns on a machine that is slow.
    for (let turn = 0; turn < 5; turn++) {
      writeFileSync(file, "short");
      const rewritten = await openedAfter("/data/file", () => {
        writeFileSync(file, "rewritten in place, and longer");
      });
      expect(rewritten).toBe("rewritten in place, and longer");
      const shrunk = await openedAfter("/data/file", () => {
        writeFileSync(file, "shrunk");
      });
      expect(shrunk).toBe("shrunk");
      const replaced = await openedAfter("/data/file", () => {
        replace(file, (path) => {
          writeFileSync(path, "another file");
        });
      });
      expect(replaced).toBe("another file");
      const gone = await openedAfter("/data/file", () => {
        rmSync(file);
      });
      expect(gone).toBe("ENOENT");

      writeFileSync(single, "first");
      const mounted = await openedAfter("/etc/single", () => {
        writeFileSync(single, "the second, of a file that is a mount itself");
      });
      expect(mounted).toBe("the second, of a file that is a mount itself");

      symlinkSync("old/key", join(data, "key"));
      const led = await openedAfter("/data/key", () => {
        replace(join(data, "key"), link("new/key"));
      });
      expect(led).toBe("of the new one");
      rmSync(join(data, "key"));
    }
    await guest[Symbol.asyncDispose]();
    await kata.ok(["delete", "--force", id]);
  }, 300_000);

  it("take no extended attribute whose name is no text, and stay", async () => {
    await using kata = new Kata();
    const { id, data, tell } = await started(kata);
    writeFileSync(join(data, "file"), "");
    chmodSync(join(data, "file"), 0o666);
    for (const path of ["/data/file", "/etc"]) {
      expect(await tell("name", path)).toEqual({ odd: Array(5).fill("EILSEQ"), text: ["value", "value"] });
    }
    expect(await kata.ok(["exec", id, "echo", "alive"])).toBe("alive");
    await kata.ok(["delete", "--force", id]);
  }, 300_000);

  it("tell who watches a ConfigMap or a Secret that the kubelet has published it anew", async () => {
    await using kata = new Kata();
    const published = join(kata.directory, "kubernetes.io~configmap/config");
    mkdirSync(published, { recursive: true });
    const publish = (version: string, keys: Readonly<Record<string, string>>): void => {
      mkdirSync(join(published, version));
      for (const [key, value] of Object.entries(keys)) writeFileSync(join(published, version, key), value);
      symlinkSync(version, join(published, "..data_tmp"));
      renameSync(join(published, "..data_tmp"), join(published, "..data"));
      for (const key of Object.keys(keys)) {
        rmSync(join(published, key), { force: true });
        symlinkSync(`..data/${key}`, join(published, key));
      }
    };
    publish("..first", { key: "one" });
    const { id } = await started(kata, (spec) => {
      spec.mounts.push(volume(published, "/config", "ro"), volume(published, "/writable"));
    });
    await using guest = await Conversation.start(kata, id, [...PROGRAM, "watch", "/config"]);
    for (const [version, value] of [
      ["..second", "two"],
      ["..third", "three"],
    ] as const) {
      publish(version, { key: value, [`since${version}`]: "new" });
      rmSync(join(published, version === "..second" ? "..first" : "..second"), { recursive: true });
      const { told, content } = JSON.parse(await guest.ask("key")) as { told: string[]; content: string };
      expect(content).toBe(value);
      expect(told).toContain("..data");
    }
    expect(await kata.ok(["exec", id, "ls", "-A", "/config"])).toBe(
      "..data\n..third\nkey\nsince..second\nsince..third",
    );
    expect((await kata.run(["exec", id, "touch", "/config/file"])).stderr).toContain("Read-only file system");
    // What a container may write is the host's own.
    await kata.ok(["exec", id, "touch", "/writable/file"]);
    expect(readdirSync(published)).toContain("file");
    await guest[Symbol.asyncDispose]();
    await kata.ok(["delete", "--force", id]);
  }, 300_000);
});
