import { existsSync, mkdirSync, mkdtempSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identifyProcess, lockFile } from "@kata-ts/linux";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FrontBundle } from "./bundle.ts";
import { releaseName } from "./claimed-name.ts";
import { removeBundle } from "./leftovers.ts";
import { hasNatNote, writeNatNote } from "./nat-note.ts";

const given = process.env.KATA_TS_DATA;
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bundle-"));
  process.env.KATA_TS_DATA = directory;
});

afterEach(() => {
  if (given === undefined) delete process.env.KATA_TS_DATA;
  else process.env.KATA_TS_DATA = given;
  rmSync(directory, { recursive: true });
});

/** The status of a run whose bundle has a network that cannot be taken back. */
async function run(warnings: string[], end: () => number): Promise<number> {
  await using bundle = await FrontBundle.create("web", join(directory, "root"), (message) => warnings.push(message));
  // No file there can be removed.
  writeNatNote(bundle.path, { namespace: "/proc/version", keeper: identifyProcess(process.pid), ports: [] });
  return end();
}

it("what cannot be taken back of a run keeps neither its status nor its error, and stays noted", async () => {
  const warnings: string[] = [];
  expect(await run(warnings, () => 7)).toBe(7);
  expect(warnings).toEqual([expect.stringMatching(/bundles\/web could not be removed, .*: E[A-Z]+/)]);
  const path = join(directory, "bundles/web");
  expect(hasNatNote(path)).toBe(true);
  rmSync(path, { recursive: true });
  const failing = run(warnings, () => {
    throw new Error("no such command");
  });
  await expect(failing).rejects.toThrow("no such command");
});

it("what cannot be taken back of a detached container is an error for who removes it", async () => {
  const warnings: string[] = [];
  await using made = await FrontBundle.create("web", join(directory, "root"), (message) => warnings.push(message));
  made.detach();
  writeNatNote(made.path, { namespace: "/proc/version", keeper: identifyProcess(process.pid), ports: [] });
  await expect(FrontBundle.detached("web")?.[Symbol.asyncDispose]()).rejects.toThrow(/^E[A-Z]+/);
  expect([existsSync(made.path), warnings]).toEqual([true, []]);
});

it("has a name that no bundle of another data directory has, on the whole host, until it goes", async () => {
  const elsewhere = join(directory, "elsewhere");
  const create = (data: string): Promise<FrontBundle> => {
    process.env.KATA_TS_DATA = data;
    return FrontBundle.create("same-name", join(data, "root"), () => undefined);
  };
  {
    await using made = await create(directory);
    await expect(create(elsewhere)).rejects.toMatchObject({
      code: "KATA_ID_IN_USE",
      message: expect.stringContaining(made.path) as string,
    });
    expect(existsSync(join(elsewhere, "bundles/same-name"))).toBe(false);
  }
  await using other = await create(elsewhere);
  expect(existsSync(other.path)).toBe(true);
});

it("whose name another data directory's has since a reboot leaves that one's network alone", async () => {
  const old = join(directory, "bundles/same-name");
  mkdirSync(old, { recursive: true });
  writeNatNote(old, { namespace: "/proc/version", keeper: identifyProcess(process.pid), ports: [] });
  process.env.KATA_TS_DATA = join(directory, "elsewhere");
  await using made = await FrontBundle.create("same-name", directory, () => undefined);
  await removeBundle(old);
  expect([existsSync(old), existsSync(made.path)]).toEqual([false, true]);
});

it("gives its name up while no other claims it, and not where another has by then", async () => {
  await using made = await FrontBundle.create("same-name", directory, () => undefined);
  const [claim, other] = ["/run/kata-ts/names/same-name", join(directory, "elsewhere")];
  let releasing: Promise<void>;
  {
    using _claiming = await lockFile("/run/kata-ts/names.lock", { deadlineMs: 10_000 });
    releasing = releaseName(made.path);
    expect(readlinkSync(claim)).toBe(made.path);
    symlinkSync(other, `${claim}.test`);
    renameSync(`${claim}.test`, claim);
  }
  await releasing;
  expect(readlinkSync(claim)).toBe(other);
  rmSync(claim);
});
