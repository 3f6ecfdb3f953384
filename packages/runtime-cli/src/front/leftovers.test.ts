import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identifyProcess } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ownerOf, sweepBundles, writeOwner } from "./leftovers.ts";

/** No process has this identity. */
const DEAD = { pid: 2 ** 31 - 1, startTime: 0 };

describe("what earlier runs have left", () => {
  let directory = "";
  let warnings: string[] = [];
  const sweep = (): Promise<void> => sweepBundles(directory, join(directory, "root"), (text) => warnings.push(text));

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "bundles-"));
    warnings = [];
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  function leftover(name: string, files: Readonly<Record<string, string>>): string {
    const path = join(directory, name);
    mkdirSync(join(path, "rootfs"), { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
    utimesSync(path, 0, 0);
    return path;
  }

  function whole(name: string, files: Readonly<Record<string, string>> = {}): string {
    const path = leftover(name, files);
    writeOwner(path, { creator: DEAD, root: join(directory, "root") });
    utimesSync(path, 0, 0);
    return path;
  }

  it.each([
    ["cut", '{"creator":{"pid":1'],
    ["of another shape", "{}"],
    ["null", "null"],
    ["empty", ""],
  ])("goes also where its own note is %s", async (_, text) => {
    const damaged = leftover("damaged", { "owner.json": text });
    const other = whole("other");
    await sweep();
    expect([existsSync(damaged), existsSync(other)]).toEqual([false, false]);
    expect(warnings).toEqual([]);
  });

  it("stays while its process lives, and while it is being made", async () => {
    const fresh = leftover("fresh", {});
    utimesSync(fresh, new Date(), new Date());
    const own = whole("own");
    const creator = identifyProcess(process.pid);
    writeOwner(own, { creator, root: directory });
    await sweep();
    expect([existsSync(fresh), existsSync(own)]).toEqual([true, true]);
    expect(ownerOf(own)).toEqual({ creator, root: directory });
  });

  it("that cannot be undone is warned about, and keeps no other; what it takes up goes", async () => {
    // A network whose plugin is not installed any more.
    const attachment = { containerId: "lost-plugin", namespace: "/run/kata-ts/netns/lost-plugin" };
    const note = JSON.stringify({ plugins: [{ type: "kata-missing" }], attachment });
    const stuck = whole("a-stuck", { "network.json": note, "config.json": "{}" });
    const other = whole("b-other");
    await sweep();
    expect(existsSync(other)).toBe(false);
    expect([existsSync(join(stuck, "rootfs")), existsSync(join(stuck, "network.json"))]).toEqual([false, true]);
    expect(warnings).toEqual([expect.stringMatching(/a-stuck.*could not be removed.*kata-missing cannot be run/)]);
  });

  it("with a name that is no container's is warned about", async () => {
    const odd = whole("not an id");
    await sweep();
    expect(existsSync(odd)).toBe(true);
    expect(warnings).toEqual([expect.stringContaining("invalid container id")]);
  });
});
