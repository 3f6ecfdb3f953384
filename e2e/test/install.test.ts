import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { runCommand } from "../harness/command.ts";
import { Kata } from "../harness/kata.ts";
import { RUNTIME } from "../harness/paths.ts";

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
