import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { lockFile } from "@kata-ts/linux";
import type { VmConfig } from "@kata-ts/qemu-driver";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { templateKey } from "./template-key.ts";
import { type SavedGuest, Templates } from "./templates.ts";

const NOBODY = 65534;
const DEADLINE_MS = 5_000;

let directory = "";
let templates: Templates;
let vm: VmConfig;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "templates-"));
  templates = new Templates(join(directory, "templates"));
  const [qemuPath = "", kernelPath = "", imagePath = ""] = ["qemu", "vmlinux", "rootfs"].map((name) => {
    writeFileSync(join(directory, name), name);
    return join(directory, name);
  });
  vm = {
    ...{ name: "sandbox-a", qemuPath, kernelPath, imagePath, qmpSocket: "/a/qmp.sock", agentSocket: "/a/agent.sock" },
    ...{ accelerator: "tcg", vcpus: 1, memoryMiB: 256, kernelParams: [], rootPorts: 2 },
  };
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
  it("is that of every sandbox's machine, whatever its name and its paths", async () => {
    const other = { ...vm, name: "sandbox-b", qmpSocket: "/b/qmp.sock", agentSocket: "/b/agent.sock" };
    expect(await templateKey(other)).toBe(await templateKey(vm));
  });

  it.each([
    ["memory", { memoryMiB: 512 }],
    ["processors", { vcpus: 2 }],
    ["kernel parameters", { kernelParams: ["debug"] }],
    ["ports", { rootPorts: 3 }],
    ["a 9p share", { share9p: { path: "/a/shared", tag: "kataShared" } }],
  ])("is another one with other %s", async (_what, change) => {
    expect(await templateKey({ ...vm, ...change })).not.toBe(await templateKey(vm));
  });

  it.each(["qemuPath", "kernelPath", "imagePath"] as const)(
    "is another one when %s has been written to",
    async (path) => {
      const before = await templateKey(vm);
      writeFileSync(vm[path], "other");
      expect(await templateKey(vm)).not.toBe(before);
    },
  );
});

describe("a directory of templates", () => {
  it("has each made by one of those who ask for it at the same time", async () => {
    made = 0;
    const found = await Promise.all([1, 2, 3].map(() => templates.obtain(vm, DEADLINE_MS, make)));
    expect(made).toBe(1);
    expect(new Set(found.map(({ path }) => path)).size).toBe(1);
    expect(await templates.find(vm)).toEqual(found[0]);
  });

  it("has nothing of one that could not be made, and makes it when asked again", async () => {
    const fail = ({ memory }: SavedGuest): Promise<void> => {
      writeFileSync(memory, "half");
      return Promise.reject(new Error("no guest"));
    };
    await expect(templates.obtain(vm, DEADLINE_MS, fail)).rejects.toThrow("no guest");
    expect(readdirSync(templates.directory).filter((name) => !name.endsWith(".lock"))).toEqual([]);
    expect(await templates.find(vm)).toBeUndefined();
    await templates.obtain(vm, DEADLINE_MS, make);
    expect(finished()).toHaveLength(1);
  });

  it("keeps four: the one that was used longest ago goes", async () => {
    const sizes = [1, 2, 3, 4, 5].map((number) => ({ ...vm, memoryMiB: 128 * number }));
    for (const [age, machine] of sizes.slice(0, 4).entries()) {
      const { path } = await templates.obtain(machine, DEADLINE_MS, make);
      utimesSync(path, age, age);
    }
    const [oldest, next, , , last] = sizes as [VmConfig, VmConfig, VmConfig, VmConfig, VmConfig];
    const used = await templates.find(oldest);
    if (used !== undefined) await templates.noteUse(used);
    await templates.obtain(last, DEADLINE_MS, make);
    expect(finished()).toHaveLength(4);
    expect(await templates.find(next)).toBeUndefined();
    expect(await templates.find(oldest)).toEqual(used);
  });

  it("loses what is stale or unfinished, not what is used or being made", async () => {
    const { path } = await templates.obtain(vm, DEADLINE_MS, make);
    const unfinished = join(templates.directory, `.${"a".repeat(32)}`);
    const inTheMaking = join(templates.directory, `.${"b".repeat(32)}`);
    for (const each of [unfinished, inTheMaking]) mkdirSync(each);
    using _maker = await lockFile(join(templates.directory, `${"b".repeat(32)}.lock`), { deadlineMs: 0 });
    expect(await templates.removeStale(true)).toEqual([unfinished]);
    expect(await templates.removeStale(false)).toEqual([unfinished]);
    writeFileSync(vm.kernelPath, "another kernel");
    expect(await templates.removeStale(false)).toEqual([path]);
    expect(readdirSync(templates.directory).filter((name) => !name.endsWith(".lock"))).toEqual([basename(inTheMaking)]);
  });

  it("goes with everything of ours, and with nothing else", async () => {
    await templates.obtain(vm, DEADLINE_MS, make);
    writeFileSync(join(templates.directory, "precious"), "");
    await templates.removeAll();
    expect(readdirSync(templates.directory)).toEqual(["precious"]);
  });

  it("takes nothing that another user has put there", async () => {
    const planted = join(templates.directory, await templateKey(vm));
    mkdirSync(planted, { recursive: true });
    chownSync(planted, NOBODY, NOBODY);
    expect(await templates.find(vm)).toBeUndefined();
    chownSync(templates.directory, NOBODY, NOBODY);
    await expect(templates.obtain(vm, DEADLINE_MS, make)).rejects.toThrow("not a directory of this user");
  });
});
