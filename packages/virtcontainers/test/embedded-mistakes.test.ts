import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox } from "../src/index.ts";
import { FakeAgent, fakePorts } from "../src/testing/index.ts";

const vm = { kernelPath: "/kernel", imagePath: "/image" };

/** What a program in plain JavaScript may pass. */
const loose = (options: unknown): never => options as never;

describe("an embedded sandbox", () => {
  let rootfs = "";
  let agent: FakeAgent;

  beforeEach(() => {
    rootfs = mkdtempSync(join(tmpdir(), "kata-embedded-"));
    agent = new FakeAgent({ stdout: "", status: 0 });
  });
  afterEach(() => {
    rmSync(rootfs, { recursive: true });
  });

  function create(options: object = {}): Promise<Sandbox> {
    return Sandbox.create(
      loose({ vm, ...options }),
      fakePorts(() => agent.connect()),
    );
  }

  it.each<[string, object, string, RegExp]>([
    ["the host's hooks", { hooks: { prestart: [{ path: "/bin/true" }] } }, "KATA_UNSUPPORTED", /prestart hooks/],
    ["another's namespace", { linux: { namespaces: [{ type: "ipc", path: "/x" }] } }, "KATA_UNSUPPORTED", /ipc.*\/x/],
    ["a terminal", { process: { cwd: "/", terminal: true } }, "KATA_UNSUPPORTED", /a terminal/],
    ["a root relative to a bundle", { root: { path: "rootfs" } }, "KATA_CONFIG", /not an absolute path: "rootfs"/],
    ["mounts that are none", { mounts: ["/x"] }, "KATA_CONFIG", /config\.mounts\[0\] is not an object/],
  ])("refuses of a config.json %s", async (_, change, code, reason) => {
    await using sandbox = await create();
    const config = loose({ ociVersion: "1.2.0", root: { path: rootfs }, ...change });
    const message = expect.stringMatching(reason) as string;
    await expect(sandbox.createContainer({ config })).rejects.toMatchObject({ code, message });
    await expect(sandbox.run(loose({ config, args: ["sh"] }))).rejects.toMatchObject({ code: "KATA_CONFIG" });
    expect(sandbox.containers).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    ["a user whose name is none", { user: "a:b:c" }, /user is not USER, USER:GROUP/],
    ["a user without a name", { user: ":adm" }, /user is not USER/],
    ["a user with NUL in the name", { user: "root\0" }, /user is not USER/],
    ["a user by a number beyond all, of two", { user: "4294967296:0" }, /user\.uid is not a whole number/],
    ["a user by a number beyond all", { user: "1:4294967295" }, /user\.gid is not a whole number/],
    ["a user without a group", { user: { uid: 1 } }, /user\.gid is not a whole number/],
    ["a user of another name", { user: { uid: 1, gid: 1, groups: [2] } }, /no option "groups"/],
    ["a user that is no number", { user: { uid: "1000", gid: 1 } }, /user\.uid is not/],
    ["a user beyond all", { user: { uid: 2 ** 32 - 1, gid: 1 } }, /user\.uid is not/],
    ["an ports that is an object", { env: { A: "1" } }, /env is not a list/],
    ["a variable without a name", { env: ["=x"] }, /env\[0\] is not NAME=VALUE/],
    ["a variable without a value", { env: ["A"] }, /env\[0\] is not NAME=VALUE/],
    ["an argument with NUL", { args: ["echo", "a\0b"] }, /args\[1\] is not text without NUL/],
    ["an argument that is a number", { args: ["sleep", 5] }, /args\[1\] is not text/],
    ["arguments that are text", { args: "echo hello" }, /args is not a list/],
    ["no arguments", { args: [] }, /args names no program/],
    ["a relative directory", { cwd: "tmp" }, /cwd is not an absolute path/],
    ["an option that is misspelt", { workdir: "/tmp" }, /has no option "workdir" \(known: args, env, cwd/],
  ])("refuses %s, wherever a process is asked for", async (_, wrong, reason) => {
    await using sandbox = await create();
    await using container = await sandbox.createContainer({ rootfs, args: ["sh"] });
    const running = await container.start();
    const asked = loose({ args: ["sh"], ...wrong });
    const before = agent.calls.length;
    for (const asking of [
      running.exec(asked),
      running.run(asked),
      sandbox.run(loose({ rootfs, args: ["sh"], ...wrong })),
      sandbox.createContainer(loose({ rootfs, args: ["sh"], ...wrong })),
    ]) {
      await expect(asking).rejects.toMatchObject({
        code: "KATA_CONFIG",
        message: expect.stringMatching(reason) as string,
      });
    }
    expect(agent.calls.slice(before)).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    ["a sandbox", { hostName: "x" }, /no option "hostName"/],
    ["its machine", { vm: { ...vm, memoryMib: 512 } }, /vm has no option "memoryMib"/],
    ["its machine's size", { vm: { ...vm, vcpus: "2" } }, /vm\.vcpus is not/],
    ["its network", { network: { namespace: "pod" } }, /namespace is not an absolute path/],
    ["its deadline", { bootDeadlineMs: "10s" }, /bootDeadlineMs is not/],
  ])("refuses a mistake about %s", async (_, wrong, reason) => {
    await expect(create(wrong)).rejects.toMatchObject({
      code: "KATA_CONFIG",
      message: expect.stringMatching(reason) as string,
    });
  });

  it("takes no word for a signal that is none", async () => {
    await using sandbox = await create();
    await using container = await sandbox.createContainer({ rootfs, args: ["sh"] });
    const running = await container.start();
    const before = agent.calls.length;
    for (const signal of ["SIGFOO", "TERM", -1, 65, 1.5, "", null]) {
      await expect(running.process.kill(loose(signal))).rejects.toMatchObject({ code: "KATA_CONFIG" });
      await expect(running.killAll(loose(signal))).rejects.toMatchObject({ code: "KATA_CONFIG" });
    }
    expect(agent.calls.slice(before)).toEqual([]);
    await running.killAll("SIGTERM");
  });
});
