import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Call, type Step } from "../harness/faults/call.ts";
import { Kata } from "../harness/kata.ts";

const STEPS: readonly Step[] = ["vm-started", "agent-up", "sandbox-created"];

describe("a create that is given up", () => {
  expectCleanHost();

  it.each([
    ["SIGINT", "vm-started"],
    ["SIGTERM", "agent-up"],
    ["SIGHUP", "sandbox-created"],
  ] as const)("by %s at %s takes back all that it has made", async (signal, step) => {
    await using kata = new Kata();
    const { path } = await kata.bundle({ args: ["sleep", "1000"] });
    await using call = new Call(kata, ["create", "--bundle", path, "given-up"]);
    await call.holdAt(step);
    call.child.kill(signal);
    call.goOn();
    const { status, stderr } = await call.ended;
    expect(status).toBe(1);
    expect(stderr).toContain(`create container given-up: interrupted by ${signal}`);
    expect(call.steps).toEqual(STEPS.slice(0, STEPS.indexOf(step) + 1));
    expect(readdirSync(kata.root)).toEqual([]);
  });

  it("while one of its hooks runs ends the hook, too", async () => {
    await using kata = new Kata();
    const pidFile = join(kata.directory, "hook.pid");
    const hook = { path: "/bin/sh", args: ["sh", "-c", `echo $$ > ${pidFile}; exec sleep 1000`] };
    const { path } = await kata.bundle({
      args: ["true"],
      edit: (spec) => {
        spec.hooks = { createRuntime: [hook] };
      },
    });
    await using call = new Call(kata, ["create", "--bundle", path, "given-up"]);
    while (!existsSync(pidFile) || kata.read("hook.pid") === "") await new Promise(setImmediate);
    call.child.kill("SIGTERM");
    expect(await call.ended).toMatchObject({ status: 1, stderr: expect.stringContaining("interrupted") as string });
    expect(existsSync(`/proc/${kata.read("hook.pid").trim()}`)).toBe(false);
    expect(readdirSync(kata.root)).toEqual([]);
  });
});
