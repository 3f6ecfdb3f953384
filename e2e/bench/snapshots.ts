import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Process, Sandbox, type SandboxOptions, Template } from "@kata-ts/virtcontainers";
import { commandLineOf } from "../harness/command-line.ts";
import { SHARE } from "../harness/paths.ts";
import { COUNTER, conversation, only, Scratch } from "../harness/snapshots.ts";
import { compare, medianOf, type Row, timed } from "./measure.ts";
import { pssOf, unmappedOf } from "./memory.ts";

const RUNS = 3;
const COPIES = 4;

const vm = {
  ...{ kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") },
  ...{ memoryMiB: 512, sharedFs: "none" as const },
};

/** A sandbox with a shell that counts lines: what it costs to save it, to go on with it and to copy it, beside others that begin. */
export async function snapshots(): Promise<Row[]> {
  await using scratch = new Scratch();
  const [rootfs, other] = [await scratch.disk("root"), await scratch.disk("other")];
  const directory = join(scratch.path, "snapshot");
  await using sandbox = await Sandbox.create({ vm });
  await begin(sandbox, rootfs);
  const save = await medianOf(RUNS, () => timed(() => sandbox.snapshot(directory)));
  const size = sizeOf(directory);

  const booted = await medianOf(RUNS, () => answered({ vm }, other));
  await using template = await Template.create({ vm });
  const cloned = await medianOf(RUNS, () => answered({ from: template }, other));
  const restored = await medianOf(RUNS, () => restoredAndAnswered(directory));
  const boot: Row = { what: "boot, container, first answer", value: booted, unit: "ms" };
  return [
    { what: "snapshot of a sandbox that goes on", value: save, unit: "ms" },
    { what: "its size", value: size, unit: "MiB" },
    boot,
    compare({ what: "clone of a template, container, first answer", value: cloned, unit: "ms" }, boot),
    compare({ what: "restore, first answer", value: restored, unit: "ms" }, boot),
    ...(await copies(sandbox, scratch.path)),
  ];
}

async function copies(sandbox: Sandbox, directory: string): Promise<Row[]> {
  const forked: Sandbox[] = [];
  try {
    const time = await timed(async () => {
      forked.push(...(await sandbox.fork(COPIES, { directory })));
      await Promise.all(forked.map(answers));
    });
    const each = forked.map(memoryOf).reduce((sum, memory) => sum + memory, 0) / COPIES;
    const many = `${String(COPIES)} copies at once`;
    const original: Row = { what: "memory of the sandbox that is copied", value: memoryOf(sandbox), unit: "MiB" };
    return [
      { what: `${many}, until all have answered`, value: time, unit: "ms" },
      original,
      compare({ what: `memory of each of ${many}`, value: each, unit: "MiB" }, original),
    ];
  } finally {
    for (const copy of forked) await copy[Symbol.asyncDispose]();
  }
}

async function begin(sandbox: Sandbox, rootfs: string): Promise<void> {
  const container = await sandbox.createContainer({ rootfs, args: ["sh", "-c", COUNTER] });
  await answer((await container.start()).process);
}

async function answered(options: SandboxOptions, rootfs: string): Promise<number> {
  let sandbox: Sandbox | undefined;
  const time = await timed(async () => {
    sandbox = await Sandbox.create(options);
    await begin(sandbox, rootfs);
  });
  await sandbox?.[Symbol.asyncDispose]();
  return time;
}

async function restoredAndAnswered(directory: string): Promise<number> {
  let sandbox: Sandbox | undefined;
  const time = await timed(async () => {
    sandbox = await Sandbox.restore(directory, { vm });
    await answers(sandbox);
  });
  await sandbox?.[Symbol.asyncDispose]();
  return time;
}

function answers({ restored }: Sandbox): Promise<string> {
  return answer(only(restored).process);
}

function answer(process: Process): Promise<string> {
  return conversation(process)("line");
}

/** What its files take on the disk. */
function sizeOf(directory: string): number {
  const blocks = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).blocks, 0);
  return (blocks * 512) / 2 ** 20;
}

/** Of its QEMU, the guest's with it. */
function memoryOf({ id }: Sandbox): number {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const qemu = Number(pids.find((pid) => commandLineOf(pid).includes(`guest=sandbox-${id}`)));
  return pssOf(qemu) + unmappedOf(qemu);
}
