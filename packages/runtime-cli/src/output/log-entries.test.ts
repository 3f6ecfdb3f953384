import { describe, expect, it } from "vitest";
import { formatLogEntry, mergeLogs, parseLog } from "./log-entries.ts";

const RUNTIME = `time="2020-01-02T03:04:05.5Z" level=info msg="a \\"quoted\\" word" name=kata-runtime pid=1
time="2020-01-02T03:04:07Z" level=error msg=late name=kata-runtime
`;
const SHIM = `{"level":"warning","msg":"between","time":"2020-01-02T04:04:06+01:00","pid":2}
a trace that follows
`;
const SYSLOG = 'Jan  2 03:04:04 host kata-proxy[3]: time="2020-01-02T03:04:04Z" level=debug msg=first sandbox=s\n';

describe("logs of several parts", () => {
  const merged = mergeLogs([parseLog(RUNTIME, "runtime"), parseLog(SHIM, "shim"), parseLog(SYSLOG, "syslog")]);

  it("are merged by time, whatever their form and zone; a line without a time stays with the one before", () => {
    expect(merged.map(({ fields }) => fields.msg)).toEqual([
      "first",
      'a "quoted" word',
      "between",
      "a trace that follows",
      "late",
    ]);
  });

  it("keep their fields, and say which file they are from", () => {
    expect(merged[0]?.fields).toMatchObject({ sandbox: "s", level: "debug", file: "syslog" });
    expect(merged[2]?.fields).toMatchObject({ pid: "2", file: "shim" });
  });

  it("steer neither terminal nor eye", () => {
    const entries = parseLog('level=info msg="evil \u202etxt.exe\u2028 \\u001b[2J"\n', "a");
    expect(entries.map((entry) => formatLogEntry(entry, "text")).join("")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  it("come back as they were written", () => {
    for (const entry of merged) {
      expect(parseLog(formatLogEntry(entry, "text"), "x")[0]?.fields).toMatchObject({ msg: entry.fields.msg });
      expect(JSON.parse(formatLogEntry(entry, "json"))).toMatchObject({ file: entry.fields.file });
    }
  });
});
