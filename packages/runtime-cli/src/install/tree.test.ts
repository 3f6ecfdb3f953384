import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { installTree, uninstallTree } from "./tree.ts";

const IMAGE_BYTES = 32 * 1024 ** 2;

let directory = "";
let source = "";
let target = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kata-install-"));
  [source, target] = [join(directory, "source"), join(directory, "target")];
  for (const part of ["bin", "libexec/kata-ts", "share/kata-ts"]) mkdirSync(join(source, part), { recursive: true });
  for (const name of ["kata-runtime", "containerd-shim-kata-v2"]) {
    put(source, `libexec/kata-ts/${name}`, name);
    symlinkSync(`../libexec/kata-ts/${name}`, join(source, "bin", name));
  }
  put(source, "libexec/kata-ts/kata-proxy", "proxy");
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function put(tree: string, path: string, text: string): void {
  writeFileSync(join(tree, path), text);
}

function addCommand(tree: string): void {
  put(tree, "bin/kata", "#!/bin/sh\nexec /usr/local/libexec/kata-ts/node\n");
  for (const path of ["libexec/kata-ts/kata.mjs", "libexec/kata-ts/node"]) put(tree, path, "command");
}

function filesOf(tree: string): string[] {
  return readdirSync(tree, { recursive: true, encoding: "utf8" }).sort();
}

describe("an installation", () => {
  it("has what its source has: without kata, or with it", async () => {
    await installTree(source, target);
    expect(filesOf(target)).toEqual(filesOf(source));
    expect(readlinkSync(join(target, "bin/kata-runtime"))).toBe("../libexec/kata-ts/kata-runtime");
    addCommand(source);
    await installTree(source, target);
    expect(filesOf(target)).toEqual(filesOf(source));
    expect(filesOf(target)).toContain("bin/kata");
  });

  it("loses kata where a newer one is without it, and leaves a kata that is not ours", async () => {
    const light = join(directory, "light");
    await installTree(source, light);
    addCommand(source);
    await installTree(source, target);
    await installTree(light, target);
    expect(filesOf(target)).toEqual(filesOf(light));
    put(target, "bin/kata", "another project's");
    await installTree(light, target);
    await expect(installTree(source, target)).rejects.toMatchObject({ code: "KATA_CONFIG" });
    expect(readFileSync(join(target, "bin/kata"), "utf8")).toBe("another project's");
    expect(filesOf(target)).toEqual([...filesOf(light), "bin/kata"].sort());
    await uninstallTree(target);
    expect(filesOf(target)).toEqual(["bin", "bin/kata"]);
  });

  it("goes with its kata", async () => {
    addCommand(source);
    await installTree(source, target);
    await uninstallTree(target);
    expect(existsSync(target)).toBe(false);
  });

  it("leaves a program of another project that has come over one of its own since", async () => {
    addCommand(source);
    await installTree(source, target);
    for (const name of ["kata-runtime", "kata"]) {
      rmSync(join(target, "bin", name));
      put(target, `bin/${name}`, "another project's");
    }
    await uninstallTree(target);
    expect(filesOf(target)).toEqual(["bin", "bin/kata", "bin/kata-runtime"]);
  });

  describe.each(["nothing", "one with kata", "one without kata"])("that is cut off at a step, over %s,", (older) => {
    beforeEach(async () => {
      const light = join(directory, "light");
      await installTree(source, light);
      addCommand(source);
      if (older === "one with kata") await installTree(source, target);
      if (older === "one without kata") await installTree(light, target);
    });

    /** Does the work once for each of its steps, with an end at that, on a copy of what is there. */
    async function cutAtEach(
      work: (place: string, onStep: (step: string) => void) => Promise<void>,
      then: (place: string) => Promise<void>,
    ): Promise<void> {
      for (let at = 1, isOver = false; !isOver; at++) {
        const place = join(directory, `cut-${String(at)}`);
        if (older !== "nothing") cpSync(target, place, { recursive: true, verbatimSymlinks: true });
        let steps = 0;
        const cut = work(place, () => {
          if (++steps === at) throw new Error("cut off");
        });
        isOver = await cut.then(
          () => true,
          (error: unknown) => {
            expect(error).toMatchObject({ message: "cut off" });
            return false;
          },
        );
        await then(place);
      }
    }

    const sources = ["source", "light"].map((name) => [name, () => join(directory, name)] as const);

    it.each(sources)("is whole after another try, or goes without a trace: from %s", async (_name, from) => {
      const install = (place: string, onStep?: (step: string) => void): Promise<void> =>
        installTree(from(), place, onStep === undefined ? {} : { onStep });
      await cutAtEach(install, async (place) => {
        if (existsSync(place)) {
          cpSync(place, `${place}-again`, { recursive: true, verbatimSymlinks: true });
          await uninstallTree(place);
        }
        expect(existsSync(place)).toBe(false);
        await install(`${place}-again`);
        expect(filesOf(`${place}-again`)).toEqual(filesOf(from()));
      });
    });

    if (older === "nothing") return;

    it("and one whose removal is: it goes, or is installed again", async () => {
      const uninstall = (place: string, onStep: (step: string) => void): Promise<void> =>
        uninstallTree(place, { onStep });
      await cutAtEach(uninstall, async (place) => {
        await installTree(source, place);
        expect(filesOf(place)).toEqual(filesOf(source));
        await uninstallTree(place);
        expect(existsSync(place)).toBe(false);
      });
      await cutAtEach(uninstall, async (place) => {
        if (existsSync(place)) await uninstallTree(place);
        expect(existsSync(place)).toBe(false);
      });
    });
  });

  it("takes no room for zeros, and keeps contents, rights and times", async () => {
    const image = join(source, "share/kata-ts/rootfs.ext4");
    const file = openSync(image, "w");
    writeSync(file, "begin", 0);
    writeSync(file, "near", 2 * 4096 + 5);
    writeSync(file, "over two blocks", 20 * 1024 ** 2 - 5);
    ftruncateSync(file, IMAGE_BYTES);
    writeSync(file, "end", IMAGE_BYTES + 4096);
    closeSync(file);
    chmodSync(image, 0o640);
    utimesSync(image, 1_000_000_000, 1_500_000_000);
    writeFileSync(join(source, "share/kata-ts/zeros"), Buffer.alloc(70_000));
    await installTree(source, target);
    const copy = join(target, "share/kata-ts/rootfs.ext4");
    const { size, blocks, mode, mtimeMs } = statSync(copy);
    expect([size, (mode & 0o7777).toString(8), mtimeMs]).toEqual([IMAGE_BYTES + 4099, "640", 1_500_000_000_000]);
    expect(blocks).toBeLessThanOrEqual(statSync(image).blocks);
    expect(readFileSync(copy).equals(readFileSync(image))).toBe(true);
    expect(readFileSync(join(target, "share/kata-ts/zeros"))).toEqual(Buffer.alloc(70_000));
    expect(lstatSync(join(target, "bin/kata-runtime")).isSymbolicLink()).toBe(true);
  });

  it.each(["kata-runtime", "containerd-shim-kata-v2", "kata"])("is not over a %s of another project", async (name) => {
    addCommand(source);
    mkdirSync(join(target, "bin"), { recursive: true });
    put(target, `bin/${name}`, "another project's");
    await expect(installTree(source, target)).rejects.toMatchObject({
      code: "KATA_CONFIG",
      message: `${join(target, "bin", name)} is there, and is not ours`,
      hint: expect.stringContaining("move it away") as unknown,
    });
    expect(filesOf(target)).toEqual(["bin", `bin/${name}`]);
    expect(readFileSync(join(target, "bin", name), "utf8")).toBe("another project's");
  });

  it("is not over what is not ours", async () => {
    mkdirSync(join(target, "share/kata-ts"), { recursive: true });
    await expect(installTree(source, target)).rejects.toMatchObject({ code: "KATA_CONFIG" });
    await expect(installTree(source, source)).rejects.toThrow("runs from already");
    await expect(uninstallTree(target)).rejects.toMatchObject({ code: "KATA_CONFIG" });
  });
});
