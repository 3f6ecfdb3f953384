import { spawnSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeTemplateDirectory } from "./template-directory.ts";

const NOBODY = 65534;
let parent = "";

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "template-directory-"));
});

afterEach(() => {
  rmSync(parent, { recursive: true });
});

it("directories of templates outlive no process for long, whatever ended it", async () => {
  const { pid } = spawnSync("true");
  const living = basename(await makeTemplateDirectory(parent));
  const [dead, planted, other] = [`kata-template-${String(pid)}-1-a`, `kata-template-${String(pid)}-1-b`, "precious"];
  for (const name of [dead, planted, other]) mkdirSync(join(parent, name, "below"), { recursive: true });
  chownSync(join(parent, planted), NOBODY, NOBODY);
  const second = basename(await makeTemplateDirectory(parent));
  expect(readdirSync(parent).sort()).toEqual([living, second, planted, other].sort());
});
