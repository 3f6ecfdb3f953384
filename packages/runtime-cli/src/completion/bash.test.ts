import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bashScript } from "./bash.ts";
import { completedProgram } from "./completed.ts";

describe("bash's completion", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-completion-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("runs nothing that a name has, and offers no name that bash would run", async () => {
    const mark = join(directory, "mark");
    const names = ["/a/plain.tar", `/a/$(touch ${mark}).tar`, `/a/\`touch ${mark}\`.tar`, "/a/b;c"];
    const rmi = {
      summary: "",
      load: async () => ({ manual: { operands: "IMAGE \u2026", options: {} }, verb: async () => 0 }),
    };
    const script = bashScript(await completedProgram("kata", { rmi }, { images: "list" }));
    const list = `list() { printf '%s\\n' ${names.map((name) => `'${name}'`).join(" ")}; }`;
    const line = "COMP_WORDS=(kata rmi /a/) COMP_CWORD=2";
    const program = `${script}\n${list}\n${line}\n_kata; printf '%s\\n' "\${COMPREPLY[@]}"`;
    expect(execFileSync("bash", ["-c", program], { encoding: "utf8" })).toBe("/a/plain.tar\n");
    expect(existsSync(mark)).toBe(false);
  });
});
