import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { copyLicences } from "./licences.ts";

let directory = "";
let root = "";
let target = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "licences-"));
  [root, target] = [join(directory, "root"), join(directory, "target")];
  const common = join(root, "usr/share/common-licenses");
  for (const path of [common, target]) mkdirSync(path, { recursive: true });
  for (const name of ["GPL-2", "GPL-3", "MPL-2.0"]) writeFileSync(join(common, name), `the text of ${name}`);
  symlinkSync("GPL-3", join(common, "GPL"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function unpack(name: string, text: string): void {
  const path = join(root, "usr/share/doc", name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "copyright"), text);
}

const copy = (...names: readonly string[]): Promise<void> =>
  copyLicences(root, target, new Map(names.map((name) => [name, name])), (name) => {
    unpack(name, `of ${name}`);
    return Promise.resolve();
  });

it("has what each package says, and the texts that these refer to", async () => {
  unpack("crun", "see /usr/share/common-licenses/GPL-2.");
  unpack("tini", "`/usr/share/common-licenses/GPL', /usr/share/common-licenses/GPL-2");
  await copy("crun", "tini");
  expect(readdirSync(target)).toEqual(["common", "crun", "tini"]);
  expect(readdirSync(join(target, "common"))).toEqual(["GPL", "GPL-2"]);
  expect(readFileSync(join(target, "common/GPL"), "utf8")).toBe("the text of GPL-3");
  expect(readFileSync(join(target, "crun"), "utf8")).toContain("GPL-2.");
});

it("of a package whose documents are another one's has that one's, which may have to be fetched", async () => {
  unpack("libtinfo6", "of ncurses");
  for (const [name, other] of [
    ["libncursesw6", "libtinfo6"],
    ["libgcc-s1", "gcc-14-base"],
  ] as const) {
    symlinkSync(other, join(root, "usr/share/doc", name));
  }
  await copy("libtinfo6", "libncursesw6", "libgcc-s1");
  expect(readFileSync(join(target, "libncursesw6"), "utf8")).toBe("of ncurses");
  expect(readFileSync(join(target, "libgcc-s1"), "utf8")).toBe("of gcc-14-base");
});

it("lacks none: a package that says nothing, or refers to what is not there, is named", async () => {
  await expect(copy("silent")).rejects.toMatchObject({
    code: "KATA_GUEST_IMAGE",
    message: expect.stringContaining("the package silent says nothing of its licence") as string,
  });
  unpack("odd", "/usr/share/common-licenses/Odd-1");
  await expect(copy("odd")).rejects.toThrow("base-files has no licence Odd-1");
});
