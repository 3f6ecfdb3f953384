import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeEngineProgram } from "../../scripts/lib/engine-programs.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { treeOnEngine } from "../harness/engine-tree.ts";
import { commandOf, readRecord } from "../harness/faults/victims.ts";
import { Kata } from "../harness/kata.ts";

/** The engine is compiled where the cache has none yet. */
const BUILD_MS = 300_000;

describe("kata-shim and kata-proxy on QuickJS", () => {
  expectCleanHost();

  let directory = "";
  let tree = "";

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "kata-engine-"));
    tree = await treeOnEngine(directory);
  }, BUILD_MS);
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
