import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identifyProcess } from "@kata-ts/linux";
import { VmFile } from "@kata-ts/proxy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KataError } from "../errors.ts";
import { findVms } from "../vm/find-vms.ts";
import { createVmDirectory } from "../vm/vm-directory.ts";
import { defaultQemuConfig, type QemuConfig } from "../vmm-qemu/qemu-config.ts";
import { QemuVmm } from "../vmm-qemu/qemu-vmm.ts";
import { type CacheMetadata, writeMetadata } from "./metadata.ts";
import { VmCache } from "./vm-cache.ts";

const REQUEST = { sandboxId: "pod" };
const DEAD = { pid: 2 ** 22 - 1, startTime: 1 };

let directory = "";
let config: QemuConfig;
let warnings: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "cache-"));
  const [qemuPath = "", kernelPath = "", imagePath = ""] = ["qemu", "vmlinux", "rootfs"].map((name) => {
    writeFileSync(join(directory, name), name);
    return join(directory, name);
  });
  const paths = { qemuPath, kernelPath, imagePath, vmRoot: join(directory, "vm") };
  config = { ...defaultQemuConfig, ...paths, imageOnDisk: true, accelerator: "tcg" };
  warnings = [];
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function cacheOf(name: string, change: Partial<QemuConfig> = {}): VmCache {
  return new VmCache({
    vmm: new QemuVmm({ ...config, ...change }),
    directory: join(directory, name),
    connectAgent: () => {
      throw new Error("no agent is called here");
    },
    warn: (message) => warnings.push(message),
  });
}

/** As far as can be seen a VM that waits, whose processes are `processes`. */
async function make(metadata: CacheMetadata, processes = [identifyProcess(process.pid)]): Promise<string> {
  const { path } = await createVmDirectory(config.vmRoot, {});
  writeFileSync(join(path, VmFile.processes), JSON.stringify({ processes, vmm: processes[0] }));
  writeFileSync(join(path, VmFile.take), "");
  await writeMetadata(path, metadata);
  return path;
}

async function opened(name = "cache"): Promise<VmCache> {
  const cache = cacheOf(name);
  await cache.open();
  return cache;
}

async function fillWith(cache: VmCache, size: number, processes = [identifyProcess(process.pid)]): Promise<string[]> {
  const made: string[] = [];
  await cache.fill(size, async (metadata) => {
    made.push(await make(metadata, processes));
  });
  return made;
}

describe("a cache of VMs", () => {
  it("is not filled before it is opened", async () => {
    expect(await fillWith(cacheOf("cache"), 1)).toEqual([]);
  });

  it("is filled up, and no further", async () => {
    const cache = await opened();
    expect(await fillWith(cache, 2)).toHaveLength(2);
    expect(await fillWith(cache, 2)).toHaveLength(0);
    expect(await cache.ready()).toBe(2);
    expect(await fillWith(cache, 3)).toHaveLength(1);
    expect((await cache.waiting()).sort()).toEqual(readdirSync(config.vmRoot).map((name) => join(config.vmRoot, name)));
  });

  it("is filled by one call at a time; one more waits, and looks again when that one is done", async () => {
    const cache = await opened();
    const entered = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const first = cache.fill(1, async (metadata) => {
      entered.resolve();
      await goOn.promise;
      await make(metadata);
    });
    await entered.promise;
    const second = fillWith(cache, 2);
    // It holds the one place to wait in before it gives anybody else a turn.
    const others = await Promise.all([fillWith(cache, 9), fillWith(cache, 9)]);
    expect(others).toEqual([[], []]);
    goOn.resolve();
    await first;
    expect(await second).toHaveLength(1);
    expect(await cache.ready()).toBe(2);
  });

  it("stays as full as it is when a VM cannot be made", async () => {
    const cache = await opened();
    await expect(cache.fill(1, () => Promise.reject(new Error("no memory")))).rejects.toThrow("no memory");
    expect(await fillWith(cache, 1)).toHaveLength(1);
  });

  it("says why the last fill has failed, also to the takers that find none, until one succeeds", async () => {
    const cache = await opened();
    expect(await cache.lastFailure()).toBeUndefined();
    const failure = new Error("no memory\n\u001b[2Jfor QEMU");
    await expect(cache.fill(1, () => Promise.reject(failure))).rejects.toThrow("no memory");
    const known = await cacheOf("cache").lastFailure();
    expect(known).toMatchObject({ reason: "no memory \\x1b[2Jfor QEMU" });
    expect(Date.parse(known?.at ?? "")).toBeGreaterThan(0);
    expect(await cache.take(REQUEST)).toBeUndefined();
    expect(warnings).toEqual([
      `no VM waits: the last refill of the VM cache, at ${known?.at ?? ""}, failed: ${known?.reason ?? ""}`,
    ]);
    await fillWith(cache, 1);
    expect(await cache.lastFailure()).toBeUndefined();
  });

  it("takes an interruption for no failure, and a damaged record for none", async () => {
    const cache = await opened();
    const interruption = new KataError("KATA_INTERRUPTED", "enough");
    await expect(cache.fill(1, () => Promise.reject(interruption))).rejects.toThrow("enough");
    expect(await cache.lastFailure()).toBeUndefined();
    writeFileSync(join(directory, "cache", "refill-failure.json"), '{"at":7}');
    expect(await cache.lastFailure()).toBeUndefined();
  });

  it("counts those alone that are of the same files and options, and its own", async () => {
    await fillWith(await opened(), 1);
    expect(await cacheOf("cache", { memoryMiB: 512 }).ready()).toBe(0);
    expect(await cacheOf("cache", { virtioFsCache: "none" }).ready()).toBe(0);
    expect(await cacheOf("other").ready()).toBe(0);
    expect(await cacheOf("cache").ready()).toBe(1);
  });

  it("keeps gc from what waits, until a file that it was made of has changed", async () => {
    const cache = await opened();
    const [vm = ""] = await fillWith(cache, 1);
    expect(await findVms(config.vmRoot)).toEqual([]);
    expect(await cache.removeStale(true)).toEqual([]);
    utimesSync(config.kernelPath, new Date(), new Date());
    expect(await cache.removeStale(true)).toEqual([vm]);
    expect(await cache.ready()).toBe(0);
  });

  it("gives nothing whose metadata is damaged, and leaves it to gc", async () => {
    const cache = await opened();
    const metadata = await metadataFor(cache);
    const vm = await make({ ...metadata, machine: null as unknown as CacheMetadata["machine"] });
    expect(await cache.ready()).toBe(0);
    expect(await cache.removeStale(true)).toEqual([vm]);
  });

  it("removes what has died, in any cache", async () => {
    const [vm = ""] = await fillWith(await opened(), 1).then(async () => {
      const metadata = await metadataFor(await opened("other"));
      return [await make(metadata, [DEAD])];
    });
    expect((await findVms(config.vmRoot)).map(({ state }) => state.dir)).toEqual([vm]);
    expect(await cacheOf("cache").removeStale(false)).toEqual([vm]);
    expect(existsSync(vm)).toBe(false);
  });

  it("is emptied by its own close alone; it is not filled any more", async () => {
    const [cache, other] = [await opened(), await opened("other")];
    const gone = await make(await metadataFor(cache), [DEAD]);
    const stays = await make(await metadataFor(other), [DEAD]);
    await cache.close();
    expect([existsSync(gone), existsSync(stays)]).toEqual([false, true]);
    expect(await fillWith(cache, 1)).toEqual([]);
    await cache.close();
  });

  it("gives nothing that has no socket yet, or that another call takes", async () => {
    const cache = await opened();
    const [vm = ""] = await fillWith(cache, 1);
    rmSync(join(vm, VmFile.take));
    expect(await cache.take(REQUEST)).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it("is refused below a directory of another user", async () => {
    mkdirSync(join(directory, "cache"));
    chownSync(join(directory, "cache"), 65534, 65534);
    await expect(cacheOf("cache").open()).rejects.toMatchObject({ code: "KATA_STATE" });
  });
});

/** What a VM of this cache is noted as. */
async function metadataFor(cache: VmCache): Promise<CacheMetadata> {
  const caught = Promise.withResolvers<CacheMetadata>();
  await cache
    .fill(1, (metadata) => {
      caught.resolve(metadata);
      return Promise.reject(new Error("that is enough"));
    })
    .catch(() => undefined);
  return caught.promise;
}
