import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeEngineProgram } from "../../scripts/lib/engine-programs.ts";
import { packageDir } from "../../scripts/lib/paths.ts";
import { engineProgram } from "../../scripts/lib/place-programs.ts";
import { translateProgramStack } from "../../scripts/lib/program-stack.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { commandOf, readRecord } from "../harness/faults/victims.ts";
import { Kata } from "../harness/kata.ts";
import { treeWithoutNode } from "../harness/tree-without-node.ts";

/** The engine is compiled where the cache has none yet. */
const BUILD_MS = 300_000;

describe("programs on QuickJS, in a tree without Node", () => {
  expectCleanHost();

  let directory = "";
  let tree = "";

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "kata-engine-"));
    tree = await treeWithoutNode(directory);
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it("are each a program of one file, by whose name its processes are known, and have no other mapped", async () => {
    await using kata = new Kata([], join(tree, "bin", "kata-runtime"));
    const id = await kata.start({ args: ["sleep", "1000"] });
    const { shim, vm } = readRecord(kata, id);
    const proxy = vm.processes[0]?.pid ?? 0;
    for (const [pid, name] of [
      [shim.pid, "kata-shim"],
      [proxy, "kata-proxy"],
    ] as const) {
      const path = join(tree, "libexec", "kata-ts", name);
      expect(readlinkSync(`/proc/${String(pid)}/exe`)).toBe(path);
      expect(readFileSync(`/proc/${String(pid)}/comm`, "latin1")).toBe(`${name}\n`);
      expect(commandOf(pid).startsWith(path)).toBe(true);
      const maps = readFileSync(`/proc/${String(pid)}/maps`, "latin1").matchAll(/ (\/.*)$/gm);
      expect([...new Set([...maps].map(([, file]) => file))]).toEqual([path]);
    }
  });

  it("take a container through its life", async () => {
    await using kata = new Kata([], join(tree, "bin", "kata-runtime"));
    const { path } = await kata.bundle({ args: ["sh", "-c", "echo out; exec sleep 1000"] });
    const id = kata.id();
    await kata.create(id, path);
    await kata.ok(["start", id]);
    expect(JSON.parse(await kata.ok(["state", id]))).toMatchObject({ id, status: "running" });
    expect((await kata.ok(["list", "--quiet"])).trim()).toBe(id);
    expect(await kata.ok(["exec", id, "uname", "-s"])).toBe("Linux");
    await kata.ok(["kill", id, "KILL"]);
    await kata.ok(["delete", "--force", id]);
    expect(await kata.ok(["list", "--quiet"])).toBe("");
    expect((await kata.run(["state", id])).exitCode).toBe(1);
  });

  it("say what they are: kata-runtime and containerd-shim-kata-v2 by themselves", async () => {
    const runtime = await runCommand(join(tree, "bin", "kata-runtime"), ["--version"]);
    expect(runtime).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: expect.stringContaining("kata-runtime") as string,
    });
    const shim = await runCommand(join(tree, "bin", "containerd-shim-kata-v2"), ["-v"]);
    expect(shim).toMatchObject({ exitCode: 0, stderr: "", stdout: expect.stringContaining("kata-v2") as string });
    for (const name of ["kata-runtime", "containerd-shim-kata-v2"]) {
      expect(readlinkSync(join(tree, "bin", name))).toBe(`../libexec/kata-ts/${name}`);
    }
  });

  it("carry the streams of a container and of commands in it, and their exit statuses", async () => {
    await using kata = new Kata([], join(tree, "bin", "kata-runtime"));
    const id = await kata.start({ args: ["sleep", "1000"] });
    const said = await kata.run(["exec", id, "sh", "-c", "cat; echo wrong >&2; exit 3"], { input: "what is typed" });
    expect(said).toMatchObject({
      exitCode: 3,
      stdout: "what is typed",
      stderr: expect.stringContaining("wrong") as string,
    });
  });

  it("drop what the environment says to Node and to the linker, and no more", async () => {
    const [entry, program] = [join(directory, "print.js"), join(directory, "print")];
    writeFileSync(entry, "console.log(JSON.stringify(process.env));\n");
    await makeEngineProgram({ entry, to: program });
    const hostile = {
      NODE_OPTIONS: "--x",
      OPENSSL_CONF: "/x",
      LD_AUDIT: "",
      GCONV_PATH: "/x",
      NODE_EXTRA_CA_CERTS: "/x",
    };
    const kept = { HTTPS_PROXY: "http://proxy:1", HOME: "/root", A: "b c", PATH: "/usr/bin:/bin" };
    const { stdout } = await runCommand(program, [], { env: { ...hostile, ...kept } });
    const found = JSON.parse(stdout) as Record<string, string>;
    expect(found).toMatchObject(kept);
    expect(Object.keys(found).filter((name) => Object.hasOwn(hostile, name))).toEqual([]);
  });
});

describe("a stack of a program on QuickJS", () => {
  it(
    "is translated to files and lines of the sources, and the rest of a log is not",
    async () => {
      const directory = mkdtempSync(join(tmpdir(), "kata-stack-"));
      const program = join(directory, "kata-shim");
      await makeEngineProgram({ ...engineProgram("kata-shim", { KATA_TS_COMMIT: '"unknown"' }), to: program });
      const { stderr } = await runCommand(program, ["-nonsense"]);
      expect(stderr).toMatch(/at parseFlags \(start-2\.js:/);
      const log = `none.js:1:2 and start-2.js\n${stderr}`;
      const translated = await translateProgramStack("kata-shim", log);
      const line = readFileSync(join(packageDir("shim"), "src", "flags.ts"), "utf8")
        .split("\n")
        .findIndex((each) => each.includes("parseArgs("));
      expect(translated).toContain(`at parseFlags (packages/shim/src/flags.ts:${String(line + 1)}:`);
      expect(translated).toMatch(/at parseArgs \(packages\/quickjs\/src\/node\/parse-args\.ts:\d+:\d+\)/);
      expect(translated).toMatch(/^none\.js:1:2 and start-2\.js\n/);
      await expect(translateProgramStack("kata", log)).rejects.toThrow("no program that runs on the engine");
      rmSync(directory, { recursive: true });
    },
    BUILD_MS,
  );
});
