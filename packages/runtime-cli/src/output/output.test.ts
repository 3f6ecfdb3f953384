import { describe, expect, it } from "vitest";
import { formatEntry } from "./log.ts";
import { formatTable } from "./table.ts";

describe("output", () => {
  it("is a table as runc's", () => {
    const table = formatTable([
      ["ID", "PID", "STATUS"],
      ["a-rather-long-id", "1", "running"],
    ]);
    expect(table).toBe("ID                 PID         STATUS\na-rather-long-id   1           running\n");
  });

  it("is a log that engines parse, with quotes and lines escaped", () => {
    expect(JSON.parse(formatEntry("error", 'a "b"\nc', "json"))).toMatchObject({ level: "error", msg: 'a "b"\nc' });
    expect(formatEntry("error", 'a "b"', "text")).toMatch(/^time="\d{4}-.*Z" level=error msg="a \\"b\\""$/);
  });
});
