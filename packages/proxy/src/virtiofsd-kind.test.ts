import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { virtiofsdVersion } from "./virtiofsd-kind.ts";

describe("virtiofsd", () => {
  let directory = "";
  const program = (name: string, script: string, mode = 0o755): string => {
    const path = join(directory, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, mode);
    return path;
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "host-programs-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it.each([
    ["virtiofsd version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright …", "c", "7.2.22"],
    ["virtiofsd 1.13.2", "rust", "1.13.2"],
    ["virtiofsd backend 1.5.1", "rust", "1.5.1"],
  ])("is of the kind known by its --version: %s", async (said, kind, version) => {
    const path = program("virtiofsd", `cat <<'END'\n${said}\nEND`);
    expect(await virtiofsdVersion(path)).toEqual({ kind, version });
  });

  it("is refused where it is none, fails, or is not there", async () => {
    const failure = (path: string) => virtiofsdVersion(path).catch((error: unknown) => error);
    expect(await failure(program("other", "echo hello"))).toMatchObject({ code: "KATA_SPAWN" });
    expect(await failure(program("failing", "exit 3"))).toMatchObject({ code: "KATA_SPAWN" });
    expect(await failure("/nowhere/virtiofsd")).toMatchObject({ message: expect.stringContaining("ENOENT") as string });
  });

  it("is ended when it does not answer", async () => {
    const path = program("hanging", "exec sleep 1000");
    await expect(virtiofsdVersion(path, 200)).rejects.toThrow("no answer within 200 ms");
  });
});
