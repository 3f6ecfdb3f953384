import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commandParts } from "../../scripts/lib/release-parts.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { Kata } from "../harness/kata.ts";
import { DIST, RUNTIME } from "../harness/paths.ts";

/** On disk, and some: 57 MiB, of which the guest's image is 19 and its kernel 18. */
const MOST_MIB = 58;

describe("an installation", () => {
  expectCleanHost();

  let prefix = "";
  const tree = (): string[] => readdirSync(prefix, { recursive: true, encoding: "utf8" }).sort();

  beforeEach(() => {
    prefix = mkdtempSync(join(tmpdir(), "kata-prefix-"));
  });

  afterEach(() => {
    rmSync(prefix, { recursive: true, force: true });
  });

  it("works below any prefix, is replaced by a newer one, and goes without a trace", async () => {
    mkdirSync(join(prefix, "bin"));
    writeFileSync(join(prefix, "bin", "other"), "somebody else's");
    const before = tree();
    for (let time = 0; time < 2; time += 1) {
      expect(await runCommand(RUNTIME, ["install", prefix])).toMatchObject({ exitCode: 0, stderr: "" });
    }
    expect(tree().filter((name) => /\.(?:new|old)$/.test(name))).toEqual([]);
    {
      await using kata = new Kata([], join(prefix, "bin", "kata-runtime"));
      const id = await kata.start({ args: ["sleep", "1000"] });
      expect(await kata.ok(["exec", id, "echo", "from there"])).toBe("from there");
      expect(await kata.run(["uninstall", prefix])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining(`${id}/kata.json`) as string,
      });
      await kata.ok(["delete", "--force", id]);
    }
    expect(await runCommand(RUNTIME, ["uninstall", prefix])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(tree()).toEqual(before);
  });

  it("of what engines need has no Node, is small, and gets kata on top", async () => {
    const archive = join(prefix, "archive");
    const target = join(prefix, "target");
    execFileSync("cp", ["--archive", "--sparse=always", DIST, archive]);
    const command = commandParts(archive);
    for (const part of command) rmSync(join(archive, part), { recursive: true });
    const install = [join(archive, "bin", "kata-runtime"), ["install", target]] as const;
    expect(await runCommand(...install)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(readdirSync(join(target, "bin")).sort()).toEqual(["containerd-shim-kata-v2", "kata-runtime"]);
    expect(mebibytesOf(target)).toBeLessThan(MOST_MIB);
    {
      await using kata = new Kata([], join(target, "bin", "kata-runtime"));
      const id = await kata.start({ args: ["sleep", "1000"] });
      expect(await kata.ok(["exec", id, "echo", "without Node"])).toBe("without Node");
      await kata.ok(["delete", "--force", id]);
    }
    // As tar unpacks the other archive over the first.
    for (const part of command) execFileSync("cp", ["--archive", join(DIST, part), join(archive, part)]);
    expect(await runCommand(...install)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await runCommand(join(target, "bin", "kata"), ["--help"])).toMatchObject({ exitCode: 0, stderr: "" });
    const node = join(target, "libexec", "kata-ts", "node");
    const calls = ["--eval", 'process.stdout.write(require("./koffi").load(null).func("int getppid()")().toString())'];
    const called = await runCommand(node, calls, { cwd: join(target, "libexec", "kata-ts", "node_modules") });
    expect(called).toMatchObject({ exitCode: 0, stdout: String(process.pid), stderr: "" });
    expect(await runCommand(RUNTIME, ["uninstall", target])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(existsSync(target)).toBe(false);
  });

  it("neither replaces nor removes what is not its own", async () => {
    mkdirSync(join(prefix, "share", "kata-ts"), { recursive: true });
    writeFileSync(join(prefix, "share", "kata-ts", "precious"), "");
    const before = tree();
    for (const verb of ["install", "uninstall"]) {
      expect((await runCommand(RUNTIME, [verb, prefix])).exitCode).toBe(1);
    }
    expect((await runCommand(RUNTIME, ["install", join(RUNTIME, "..", "..")])).stderr).toContain("runs from already");
    expect(tree()).toEqual(before);
    expect(existsSync(RUNTIME)).toBe(true);
  });
});

function mebibytesOf(tree: string): number {
  return Number(execFileSync("du", ["--summarize", "--block-size=1M", tree], { encoding: "utf8" }).split("\t")[0]);
}
