import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lastOfEach, readVariableFiles } from "./variables.ts";

describe("a file of variables", () => {
  let directory = "";
  const read = (content: string): string[] => {
    const file = join(directory, "env");
    writeFileSync(file, content);
    return readVariableFiles([file], { OWN: "here" });
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-env-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("has one a line, as Docker reads it", () => {
    const content = '\uFEFF# comment\n\nA=1\r\n  B= two = 2 \nOWN\nMISSING\nQ="quoted"\n';
    expect(read(content)).toEqual(["A=1", "B= two = 2 ", "OWN=here", 'Q="quoted"']);
  });

  it.each([
    ["=x\n", "takes NAME=VALUE or NAME"],
    ["A B=x\n", "a name has a blank in it"],
    ["A=x\0y\n", "has a NUL"],
  ])("is refused where it has %j", (content, reason) => {
    expect(() => read(content)).toThrow(reason);
  });

  it("says more than the image does: of one name the last holds", () => {
    expect(lastOfEach(["PATH=/bin", "A=1", "PATH=/own"])).toEqual(["PATH=/own", "A=1"]);
  });
});
