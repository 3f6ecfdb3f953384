import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HookState, runHook } from "./run-hook.ts";

describe("a hook", () => {
  let bundle = "";

  beforeEach(() => {
    bundle = mkdtempSync(join(tmpdir(), "hook-"));
  });

  afterEach(() => {
    rmSync(bundle, { recursive: true });
  });

  const sh = (script: string) => ({ path: "/bin/sh", args: ["sh", "-c", script] });
  const state = (): HookState => ({ ociVersion: "1.0.2", id: "c", status: "creating", pid: 7, bundle });

  it("reads the state, in the bundle's directory, with its own environment alone", async () => {
    await runHook({ ...sh("/bin/cat > state; /usr/bin/env > env"), env: ["A=b=c", "EMPTY="] }, state());
    expect(JSON.parse(readFileSync(join(bundle, "state"), "utf8"))).toEqual(state());
    const environment = readFileSync(join(bundle, "env"), "utf8").split("\n").filter(Boolean);
    expect(environment).toEqual(expect.arrayContaining(["A=b=c", "EMPTY="]));
    expect(environment.some((line) => line.startsWith("HOME=") || line.startsWith("PATH="))).toBe(false);
  });

  it("need not read its state", async () => {
    await runHook(sh("exec <&-"), { ...state(), annotations: { big: "x".repeat(1_000_000) } });
  });

  it("that fails says how, and what it printed", async () => {
    await expect(runHook(sh("echo out; echo err >&2; exit 3"), state())).rejects.toMatchObject({
      code: "KATA_HOOK",
      message: "exit status 3, stdout: out, stderr: err",
    });
    await expect(runHook(sh("kill -9 $$"), state())).rejects.toThrow("signal: SIGKILL");
    await expect(runHook({ path: "/no/such/hook" }, state())).rejects.toMatchObject({ code: "KATA_HOOK" });
  });

  it("that takes longer than its timeout is killed", async () => {
    await expect(runHook({ ...sh("exec sleep 100"), timeout: 1 }, state())).rejects.toThrow(
      "past specified timeout of 1.0s",
    );
  });

  it("is over when it ends, although a child of it holds its output", async () => {
    await runHook(sh("sleep 5 & exit 0"), state());
  }, 3_000);
});
