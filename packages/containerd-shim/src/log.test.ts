import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ShimLog } from "./log.ts";

it("says which error has ended the shim, and where that came from", async () => {
  const directory = mkdtempSync(join(tmpdir(), "shim-log-"));
  const path = join(directory, "log");
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    await using log = new ShimLog(path, "web", false);
    log.endedBy(new TypeError("lost"));
    const bytes = Buffer.alloc(4096);
    const line = bytes.toString("utf8", 0, readSync(reader, bytes));
    expect(line).toMatch(
      / level=error msg="the pod ends by an error of its shim: TypeError: lost\\n {4}at .*" id=web /,
    );
  } finally {
    closeSync(reader);
    rmSync(directory, { recursive: true });
  }
});
