import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";
import { IDLE, startMember, startSandbox } from "../harness/pods.ts";

const MIB = 1024 ** 2;

/** MiB of memory that the guest has. */
async function guestMemory(kata: Kata, id: string): Promise<number> {
  const total = await kata.ok(["exec", id, "sed", "-n", "s/^MemTotal: *//p", "/proc/meminfo"]);
  return Number.parseInt(total, 10) / 1024;
}

/** MiB of the host's memory that a VM's QEMU holds for its guest. */
function hostMemory(kata: Kata, id: string): number {
  const record = JSON.parse(readFileSync(join(kata.root, id, "kata.json"), "utf8")) as {
    vm: { vmm: { pid: number } };
  };
  const descriptors = `/proc/${String(record.vm.vmm.pid)}/fd`;
  const files = readdirSync(descriptors).map((name) => join(descriptors, name));
  const memory = files.filter((file) => readlinkSync(file).startsWith("/memfd:memory-backend-memfd"));
  return memory.reduce((sum, file) => sum + statSync(file).blocks * 512, 0) / MIB;
}

/** A guest gives memory back while it goes on: looks until it has. */
async function untilBelow(most: number, look: () => Promise<number> | number): Promise<void> {
  while ((await look()) > most) await delay(100);
}

const limited = (size: number) => (spec: EditableSpec) => {
  spec.linux = { ...(spec.linux as object), resources: { memory: { limit: size * MIB } } };
};

describe("memory that a VM gives back", () => {
  expectCleanHost();

  it("comes and goes with a container's limit, and is the host's again", async () => {
    await using kata = Kata.configured("[hypervisor.qemu]\nenable_virtio_mem = true\n");
    const id = await kata.start({
      args: IDLE,
      edit: (spec) => {
        limited(512)(spec);
        spec.mounts.push({ destination: "/memory", type: "tmpfs", source: "tmpfs" });
      },
    });
    const grown = await guestMemory(kata, id);
    // What limits add comes on top of the 2048 MiB of each VM, of which its kernel keeps some.
    expect(grown).toBeGreaterThan(2048 + 512 - 150);
    await kata.ok(["exec", id, "dd", "if=/dev/zero", "of=/memory/file", "bs=1M", "count=450"]);
    const held = hostMemory(kata, id);
    await kata.ok(["exec", id, "rm", "/memory/file"]);
    await kata.ok(["update", "--memory", "128m", id]);
    await untilBelow(grown - 383, () => guestMemory(kata, id));
    await untilBelow(held - 256, () => hostMemory(kata, id));
    await kata.ok(["update", "--memory", "1g", id]);
    expect(await guestMemory(kata, id)).toBeGreaterThan(grown + 511);
    await kata.ok(["exec", id, "dd", "if=/dev/zero", "of=/memory/file", "bs=1M", "count=600"]);
    await kata.ok(["delete", "--force", id]);
  });

  it("goes with a container of a pod, whose others stay as they are", async () => {
    await using kata = Kata.configured("[hypervisor.qemu]\nenable_virtio_mem = true\n");
    const sandbox = await startSandbox(kata, limited(128));
    const before = await guestMemory(kata, sandbox);
    const member = await startMember(kata, sandbox, IDLE, limited(512));
    expect(await guestMemory(kata, sandbox)).toBeGreaterThan(before + 511);
    await kata.ok(["delete", "--force", member]);
    await untilBelow(before, () => guestMemory(kata, sandbox));
    expect(await guestMemory(kata, sandbox)).toBeGreaterThan(before - 1);
    await kata.ok(["delete", "--force", sandbox]);
  });
});
