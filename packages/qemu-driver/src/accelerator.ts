import { createHash } from "node:crypto";
import { closeSync, constants, openSync, statSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { spawnTied } from "./spawn.ts";
import { Tail } from "./tail.ts";
import type { Accelerator } from "./vm-config.ts";

export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  /** Why, for people. */
  readonly reason: string;
}

export interface AcceleratorProbe {
  readonly qemuPath: string;
  readonly kernelPath: string;
  /** Where the answer is remembered, per kernel and QEMU; absent: not at all. */
  readonly cacheFile?: string;
  /** Milliseconds that a guest under KVM gets to boot; 5 000 by default. */
  readonly deadlineMs?: number;
}

const BOOTED = "Kernel panic - not syncing: VFS";

/**
 * KVM only where a guest really boots under it: a readable /dev/kvm is not proof. The guest has no disk, so a kernel
 * that reaches "unable to mount root" has booted. Never throws: the fallback is TCG.
 */
export async function chooseAccelerator(probe: AcceleratorProbe): Promise<AcceleratorChoice> {
  const unusable = kvmUnusable();
  if (unusable !== undefined) return { accelerator: "tcg", reason: unusable };
  const key = probeKey(probe);
  const known = await remembered(probe.cacheFile, key);
  if (known !== undefined) return known;
  const choice = await bootUnderKvm(probe);
  await remember(probe.cacheFile, key, choice).catch(() => undefined);
  return choice;
}

function kvmUnusable(): string | undefined {
  try {
    closeSync(openSync("/dev/kvm", constants.O_RDWR));
    return undefined;
  } catch (error) {
    return `/dev/kvm cannot be opened (${String((error as NodeJS.ErrnoException).code)})`;
  }
}

async function bootUnderKvm(probe: AcceleratorProbe): Promise<AcceleratorChoice> {
  const output = new Tail(64 * 1024);
  const seen = Promise.withResolvers<"booted">();
  const args = ["-machine", "q35", "-accel", "kvm", "-cpu", "host", "-m", "256M", "-no-user-config", "-nodefaults"];
  const guest = ["-no-reboot", "-display", "none", "-serial", "stdio", "-kernel", probe.kernelPath];
  const append = ["-append", "console=ttyS0 panic=-1 reboot=k root=/dev/none"];
  let qemu: ReturnType<typeof spawnTied>;
  try {
    qemu = spawnTied(probe.qemuPath, [...args, ...guest, ...append], ["ignore", "pipe", "pipe"]);
  } catch (error) {
    return { accelerator: "tcg", reason: `QEMU could not be started to try KVM: ${String(error)}` };
  }
  for (const stream of [qemu.child.stdout, qemu.child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output.push(chunk);
      if (output.text().includes(BOOTED)) seen.resolve("booted");
    });
  }
  const limit = probe.deadlineMs ?? 5_000;
  let timer: NodeJS.Timeout | undefined;
  const late: Promise<"late"> = new Promise((resolve) => {
    timer = setTimeout(resolve, limit, "late");
  });
  const outcome = await Promise.race([seen.promise, late, qemu.exited]);
  clearTimeout(timer);
  qemu.child.kill("SIGKILL");
  await qemu.exited;
  if (outcome === "booted" || output.text().includes(BOOTED))
    return { accelerator: "kvm", reason: "a guest boots under KVM" };
  const lastWords = output.lines(1)[0] ?? "no output";
  const how = outcome === "late" ? `did not boot within ${String(limit)} ms` : "ended";
  return { accelerator: "tcg", reason: `/dev/kvm is there, but a guest under it ${how}: ${lastWords}` };
}

// The programs count by file identity: an upgrade of either asks anew.
function probeKey(probe: AcceleratorProbe): string {
  const hash = createHash("sha256");
  for (const path of [probe.qemuPath, probe.kernelPath]) {
    const { ino, size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { ino: 0, size: 0, mtimeMs: 0 };
    hash.update(`${path}\0${String(ino)}\0${String(size)}\0${String(mtimeMs)}\0`);
  }
  return hash.digest("hex").slice(0, 32);
}

async function remembered(file: string | undefined, key: string): Promise<AcceleratorChoice | undefined> {
  if (file === undefined) return undefined;
  try {
    const { accelerator, reason } =
      (JSON.parse(await readFile(file, "utf8")) as Record<string, AcceleratorChoice>)[key] ?? {};
    const known = (accelerator === "kvm" || accelerator === "tcg") && typeof reason === "string";
    return known ? { accelerator, reason } : undefined;
  } catch {
    return undefined;
  }
}

async function remember(file: string | undefined, key: string, choice: AcceleratorChoice): Promise<void> {
  if (file === undefined) return;
  await mkdir(dirname(file), { recursive: true });
  const unfinished = `${file}.${String(process.pid)}`;
  await writeFile(unfinished, `${JSON.stringify({ [key]: choice })}\n`);
  await rename(unfinished, file);
}
