import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { hostProgramsImage, volume, withHostPrograms } from "../harness/host-programs.ts";
import { Kata } from "../harness/kata.ts";
import { IDLE, joinNamespaces, memberAnnotations, startSandbox } from "../harness/pods.ts";

const PROGRAM = ["python3", "/harness/shared-files.py"];

type Mount = EditableSpec["mounts"][number];

/** Another container of a pod, with this machine's programs and these volumes. */
async function member(kata: Kata, sandbox: string, image: string, args: readonly string[], ...mounts: Mount[]) {
  const { pid } = await kata.state(sandbox);
  return kata.start({
    image,
    args,
    edit: (spec) => {
      withHostPrograms(spec);
      spec.mounts.push(...mounts);
      spec.annotations = memberAnnotations(sandbox);
      delete spec.hostname;
      joinNamespaces(spec, pid, ["network", "ipc", "uts"]);
    },
  });
}

describe("a directory that two containers share over virtio-fs", () => {
  expectCleanHost();

  it("is one file system to them: sockets, FIFOs, locks, inotify and databases work through it", async () => {
    await using kata = new Kata();
    const data = join(kata.directory, "data");
    mkdirSync(data);
    const image = hostProgramsImage(kata);
    const sandbox = await startSandbox(kata);
    const peer = await member(kata, sandbox, image, [...PROGRAM, "peer", "/data"], volume(data, "/data"));
    const both = [volume(data, "/here"), volume(data, "/there", "ro")];
    const other = await member(kata, sandbox, image, IDLE, ...both);
    const run = (id: string, ...args: string[]) => kata.ok(["exec", id, ...PROGRAM, ...args]);
    expect(JSON.parse(await run(other, "probe", "/here"))).toEqual({
      socket: "here",
      flock: true,
      posix: true,
      watch: ["created"],
      fifo: "through",
    });
    // What is read-only for one of them is the same file system all the same.
    expect(JSON.parse(await run(other, "probe", "/there", "readonly"))).toEqual({ socket: "here", fifo: "through" });
    expect((await kata.run(["exec", other, "touch", "/there/file"])).stderr).toContain("Read-only file system");

    await Promise.all([run(peer, "insert", "/data", "40"), run(other, "insert", "/here", "40")]);
    expect(await run(other, "rows", "/there")).toBe("80");

    // What one lets go of stays with the other.
    await kata.ok(["delete", "--force", peer]);
    await kata.ok(["exec", other, "sh", "-c", "echo still > /here/file"]);
    expect(readFileSync(join(data, "file"), "utf8")).toBe("still\n");
    await kata.ok(["delete", "--force", other]);
    await kata.ok(["delete", "--force", sandbox]);
  }, 300_000);
});
