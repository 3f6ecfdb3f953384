import { statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { hasFile, IMAGE, KATA_JS } from "../harness/guest-engine.ts";
import { Kata } from "../harness/kata.ts";

const MIB = 1024 * 1024;

describe("the guest", () => {
  expectCleanHost();

  it("has no Node in its image, which takes the least address space that an image can", async () => {
    expect(await hasFile(IMAGE, KATA_JS)).toBe(true);
    for (const path of ["/usr/bin/node", "/usr/lib/kata-agent/agent.cjs", "/usr/lib/kata-agent/node_modules"]) {
      expect(await hasFile(IMAGE, path), path).toBe(false);
    }
    expect(statSync(IMAGE).size).toBe(128 * MIB);
  });

  it("runs containers and commands in them, by no other program than that engine", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"] });
    const said = await kata.run(["exec", id, "sh", "-c", "cat; echo wrong >&2; exit 3"], { input: "what is typed" });
    expect(said).toMatchObject({
      exitCode: 3,
      stdout: "what is typed",
      stderr: expect.stringContaining("wrong") as string,
    });
    const programs = (
      await kata.ok(["debug", id, "sh", "-c", "for exe in /proc/[0-9]*/exe; do readlink $exe; done; true"])
    ).split("\n");
    expect(programs).toContain(KATA_JS);
    expect(programs.filter((program) => program.endsWith("/node"))).toEqual([]);
    await kata.ok(["kill", id, "KILL"]);
    await kata.until(id, "stopped");
    await kata.ok(["delete", id]);
  });
});
