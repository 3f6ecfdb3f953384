import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";
import { keepNeeded } from "./needed-files.ts";

const LOADER = "ld-linux-x86-64.so.2";

let root = "";
let libraries = "";

/** A root file system with the host's ls, and with what no program of it needs. */
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "needed-files-"));
  libraries = join(root, "usr/lib/x86_64-linux-gnu");
  for (const directory of ["usr/bin", "usr/sbin", "usr/lib/x86_64-linux-gnu/tc", "usr/lib64"]) {
    mkdirSync(join(root, directory), { recursive: true });
  }
  for (const name of ["bin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(root, name));
  const { stdout } = await execa("ldd", ["/usr/bin/ls"]);
  for (const [path] of stdout.matchAll(/\/\S+/g)) addLibrary(path);
  symlinkSync(`../lib/x86_64-linux-gnu/${LOADER}`, join(root, "usr/lib64", LOADER));
  copyFileSync("/usr/bin/ls", join(root, "usr/bin/ls"));
  for (const file of ["bin/fixed", "bin/other", "sbin/ls", "lib/x86_64-linux-gnu/libother.so.1"]) {
    writeFileSync(join(root, "usr", file), "");
  }
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

/** With the link that it is found by, as packages have it. */
function addLibrary(path: string): void {
  const [name, real] = [basename(path), realpathSync(path)];
  const file = name === LOADER ? name : `${name}.real`;
  copyFileSync(real, join(libraries, file));
  if (file !== name) symlinkSync(file, join(libraries, name));
}

it("leaves the programs that are named, and the libraries that they load", async () => {
  await keepNeeded(root, { dynamic: ["bin/ls"], fixed: ["bin/fixed"] });
  expect(readdirSync(join(root, "usr/bin")).sort()).toEqual(["fixed", "ls"]);
  expect(readdirSync(join(root, "usr/sbin"))).toEqual([]);
  expect((await execa("chroot", [root, "/usr/bin/ls", "/usr/bin"])).stdout).toBe("fixed\nls");
  expect(readdirSync(libraries)).toEqual(expect.arrayContaining([LOADER, "libc.so.6", "libc.so.6.real"]));
  for (const unneeded of ["tc", "libother.so.1"]) expect(readdirSync(libraries)).not.toContain(unneeded);
});

it("names the library that a program lacks", async () => {
  rmSync(join(libraries, "libc.so.6"));
  await expect(keepNeeded(root, { dynamic: ["bin/ls"], fixed: [] })).rejects.toThrow(
    /bin\/ls lacks a library: .*libc/s,
  );
});
