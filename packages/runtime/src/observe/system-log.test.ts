import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SystemLog } from "./system-log.ts";

const FIELDS = { name: "kata-runtime", pid: "12", source: "runtime", sandbox: "s1" };

describe("the host's log", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "syslog-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** Stands for logger, and notes what it is called with. */
  function logger(status: number): string {
    const path = join(directory, "logger");
    const script = `#!/bin/sh\n{ echo "$@"; cat; } >> ${directory}/called\nexit ${String(status)}\n`;
    writeFileSync(path, script);
    chmodSync(path, 0o755);
    return path;
  }
  const called = (): string => readFileSync(join(directory, "called"), "utf8");

  it("gets an entry of syslog with its level, tag and fields", () => {
    new SystemLog("syslog", () => undefined, logger(0)).write("warning", 'a "word"', FIELDS);
    expect(called()).toBe(
      '--socket-errors=on --tag kata-runtime --id=12 --priority daemon.warning\nlevel=warning msg="a \\"word\\"" source=runtime sandbox=s1\n',
    );
  });

  it("gets an entry of the journal with fields of its own", () => {
    new SystemLog("journald", () => undefined, logger(0)).write("error", "gone", FIELDS);
    const lines = ["--journald", "MESSAGE=gone", "PRIORITY=3", "SYSLOG_IDENTIFIER=kata-runtime", "SYSLOG_PID=12"];
    expect(called()).toBe([...lines, "KATA_SOURCE=runtime", "KATA_SANDBOX=s1", ""].join("\n"));
  });

  it("gets lines one after the other while the caller goes on, and all of them before it ends", async () => {
    const log = new SystemLog("journald", () => undefined, logger(0));
    for (let index = 0; index < 5; index += 1) log.writeLater("info", `line ${String(index)}`, FIELDS);
    expect(existsSync(join(directory, "called"))).toBe(false);
    await log.flush();
    expect(called().match(/MESSAGE=.*/g)).toEqual([0, 1, 2, 3, 4].map((index) => `MESSAGE=line ${String(index)}`));
  });

  it.each(["a failure", "a missing program"])("is given up by one that goes on, too, after %s", async (what) => {
    const warnings: string[] = [];
    const program = what === "a failure" ? logger(1) : join(directory, "missing");
    const log = new SystemLog("syslog", (message) => warnings.push(message), program);
    for (const text of ["one", "two"]) log.writeLater("info", text, FIELDS);
    await log.flush();
    expect(warnings).toEqual([expect.stringContaining("nothing is written to syslog")]);
  });

  it.each(["a failure", "a missing program"])("is given up with one warning after %s", (what) => {
    const warnings: string[] = [];
    const program = what === "a failure" ? logger(1) : join(directory, "missing");
    const log = new SystemLog("syslog", (message) => warnings.push(message), program);
    for (const text of ["one", "two"]) log.write("info", text, FIELDS);
    expect(warnings).toEqual([expect.stringContaining("nothing is written to syslog")]);
  });
});
