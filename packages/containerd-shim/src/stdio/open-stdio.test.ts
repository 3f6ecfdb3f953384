import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStdio } from "./open-stdio.ts";

const CONTAINER = { id: "web", namespace: "default" };

describe("streams that go to files", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-stdio-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("file:// takes both outputs into one file, whose directory is made", async () => {
    const path = join(directory, "logs/web.log");
    const stdout = `file://${path}`;
    const stdio = await openStdio({ stdin: "", stdout, stderr: "", terminal: false }, CONTAINER);
    stdio.stdout.write("out\n");
    stdio.stderr.write("err\n");
    await stdio.close();
    expect(readFileSync(path, "utf8")).toBe("out\nerr\n");
  });

  it.each([
    ["file://", "file://"],
    ["a path", ""],
  ])("%s that is a directory is refused, and the process goes on", async (_what, scheme) => {
    const request = { stdin: "", stdout: `${scheme}${directory}`, stderr: "", terminal: false };
    await expect(openStdio(request, CONTAINER)).rejects.toThrow(`${directory} cannot be opened: EISDIR`);
  });
});
