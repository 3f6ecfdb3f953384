import { statSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { hasFile, imageWithoutNode, KATA_JS } from "../harness/guest-engine.ts";
import { Kata } from "../harness/kata.ts";

const MIB = 1024 * 1024;
/** The engine is compiled where the cache has none yet. */
const BUILD_MS = 300_000;

describe("a guest whose agent runs on QuickJS", () => {
  expectCleanHost();

  let image = "";
  const configured = (): Kata => Kata.configured(`[hypervisor.qemu]\nimage = "${image}"\n`);

  beforeAll(async () => {
    image = await imageWithoutNode();
  }, BUILD_MS);

  it("has no Node in its image, which takes half as much address space as one with Node", async () => {
    expect(await hasFile(image, KATA_JS)).toBe(true);
    for (const path of ["/usr/bin/node", "/usr/lib/kata-agent/agent.cjs", "/usr/lib/kata-agent/node_modules"]) {
      expect(await hasFile(image, path), path).toBe(false);
    }
    expect(statSync(image).size).toBe(128 * MIB);
  });

  it("runs containers and commands in them, by no other program than that engine", async () => {
    await using kata = configured();
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
    while ((await kata.state(id)).status !== "stopped") await new Promise(setImmediate);
    await kata.ok(["delete", id]);
  });
});
