import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { copyBind } from "./copy-bind.ts";
import { fileSystemOf } from "./file-system-of.ts";

it("a pipe that no process writes to is refused, as a mount and as a root file system", async () => {
  const directory = mkdtempSync(join(tmpdir(), "pipe-"));
  const pipe = join(directory, "pipe");
  execFileSync("mkfifo", [pipe]);
  const agent = { copyFile: () => Promise.reject(new Error("nothing is to be copied")) };
  const mount = { destination: "/etc/hosts", source: pipe, type: "bind" };
  await expect(copyBind(agent, "c", mount, 0)).rejects.toMatchObject({ code: "KATA_UNSUPPORTED" });
  await expect(fileSystemOf(pipe)).rejects.toMatchObject({ code: "KATA_CONFIG" });
  rmSync(directory, { recursive: true });
});
