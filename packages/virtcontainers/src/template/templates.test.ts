import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { lockFile } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MachineIdentity } from "../ports/vmm.ts";
import type { SavedGuest } from "./saved-guest.ts";
import { templateKey } from "./template-key.ts";
import { Templates } from "./templates.ts";

const NOBODY = 65534;
const DEADLINE_MS = 5_000;

let directory = "";
let templates: Templates;
let machine: MachineIdentity;
let kernel: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "templates-"));
  templates = new Templates(join(directory, "templates"));
  const files = ["qemu", "vmlinux", "rootfs"].map((name) => join(directory, name));
  for (const file of files) writeFileSync(file, "");
  kernel = join(directory, "vmlinux");
  machine = { machine: { memoryMiB: 256 }, files, start: "root" };
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

let made = 0;

async function make({ memory, state }: SavedGuest): Promise<void> {
  made += 1;
  await Promise.resolve();
  writeFileSync(memory, "memory");
  writeFileSync(state, "state");
}

const finished = (): string[] => readdirSync(templates.directory).filter((name) => /^[0-9a-f]{32}$/.test(name));

describe("the key of a template", () => {
  it("is another one with another machine, and the same however the monitor is started", async () => {
    const key = await templateKey(machine);
    expect(await templateKey({ ...machine, machine: { memoryMiB: 512 } })).not.toBe(key);
    expect(await templateKey({ ...machine, start: "own user" })).toBe(key);
  });

  it("is another one when a file of the machine has been written to", async () => {
    for (const file of machine.files) {
      const before = await templateKey(machine);
      writeFileSync(file, "other");
      expect(await templateKey(machine)).not.toBe(before);
    }
  });
});

describe("a directory of templates", () => {
  it("makes each once, however many calls ask for it at the same time", async () => {
    made = 0;
    const found = await Promise.all([1, 2, 3].map(() => templates.obtain(machine, DEADLINE_MS, make)));
    expect(made).toBe(1);
    expect(new Set(found.map(({ path }) => path)).size).toBe(1);
    expect(await templates.find(machine)).toEqual(found[0]);
  });

  it("keeps nothing of a template that could not be made, and makes it when asked again", async () => {
    const fail = ({ memory }: SavedGuest): Promise<void> => {
      writeFileSync(memory, "half");
      return Promise.reject(new Error("no guest"));
    };
    await expect(templates.obtain(machine, DEADLINE_MS, fail)).rejects.toThrow("no guest");
    expect(readdirSync(templates.directory).filter((name) => !name.endsWith(".lock"))).toEqual([]);
    expect(await templates.find(machine)).toBeUndefined();
    await templates.obtain(machine, DEADLINE_MS, make);
    expect(finished()).toHaveLength(1);
  });

  it("keeps four: the least recently used goes", async () => {
    const sizes = [1, 2, 3, 4, 5].map((number) => ({ ...machine, machine: { memoryMiB: 128 * number } }));
    for (const [age, each] of sizes.slice(0, 4).entries()) {
      const { path } = await templates.obtain(each, DEADLINE_MS, make);
      utimesSync(path, age, age);
    }
    const [oldest, next, , , last] = sizes as [
      MachineIdentity,
      MachineIdentity,
      MachineIdentity,
      MachineIdentity,
      MachineIdentity,
    ];
    const used = await templates.find(oldest);
    if (used !== undefined) await templates.noteUse(used);
    await templates.obtain(last, DEADLINE_MS, make);
    expect(finished()).toHaveLength(4);
    expect(await templates.find(next)).toBeUndefined();
    expect(await templates.find(oldest)).toEqual(used);
  });

  it("loses what is stale or unfinished, not what is used or being made", async () => {
    const { path } = await templates.obtain(machine, DEADLINE_MS, make);
    const unfinished = join(templates.directory, `.${"a".repeat(32)}`);
    const inTheMaking = join(templates.directory, `.${"b".repeat(32)}`);
    for (const each of [unfinished, inTheMaking]) mkdirSync(each);
    using _maker = await lockFile(join(templates.directory, `${"b".repeat(32)}.lock`), { deadlineMs: 0 });
    expect(await templates.removeStale(true)).toEqual([unfinished]);
    expect(await templates.removeStale(false)).toEqual([unfinished]);
    writeFileSync(kernel, "another kernel");
    expect(await templates.removeStale(false)).toEqual([path]);
    expect(readdirSync(templates.directory).filter((name) => !name.endsWith(".lock"))).toEqual([basename(inTheMaking)]);
  });

  it("goes with everything of ours, and with nothing else", async () => {
    await templates.obtain(machine, DEADLINE_MS, make);
    writeFileSync(join(templates.directory, "precious"), "");
    await templates.removeAll();
    expect(readdirSync(templates.directory)).toEqual(["precious"]);
  });

  it("takes nothing that another user has put there", async () => {
    const planted = join(templates.directory, await templateKey(machine));
    mkdirSync(planted, { recursive: true });
    chownSync(planted, NOBODY, NOBODY);
    expect(await templates.find(machine)).toBeUndefined();
    chownSync(templates.directory, NOBODY, NOBODY);
    await expect(templates.obtain(machine, DEADLINE_MS, make)).rejects.toThrow("not a directory of this user");
  });
});
