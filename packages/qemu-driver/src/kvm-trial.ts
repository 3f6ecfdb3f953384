import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { spawnTied, Tail, type TiedProcess } from "@kata-ts/linux";
import type { AcceleratorChoice, AcceleratorProbe, TrialLimits } from "./accelerator-choice.ts";
import { ExitCounter } from "./exit-counter.ts";
import { StandstillWatch } from "./standstill-watch.ts";

interface Trial extends AcceleratorChoice {
  /** Whether another trial would end the same way: a guest that was only slow proves nothing. */
  readonly isFinal: boolean;
}

const DEFAULT_LIMITS: TrialLimits = { stillMs: 5_000, totalMs: 240_000 };
const SAMPLE_MS = 100;
const BOOTED = "Kernel panic - not syncing: VFS";

/** Boots a guest under KVM. It has no disk, so a kernel that reaches "unable to mount root" has booted. */
export async function tryKvm(probe: AcceleratorProbe): Promise<Trial> {
  const limits = { ...DEFAULT_LIMITS, ...probe.limits };
  const output = new Tail(64 * 1024);
  let qemu: TiedProcess;
  try {
    qemu = spawnTied(probe.qemuPath, trialArgv(probe.kernelPath), ["ignore", "pipe", "pipe", "pipe"]);
  } catch (error) {
    return { accelerator: "tcg", reason: `QEMU could not be started to try KVM: ${String(error)}`, isFinal: false };
  }
  using exits = new ExitCounter(qemu.child.stdio[3] as Socket);
  const watch = new StandstillWatch(qemu.pid, exits, limits.stillMs);
  for (const stream of [qemu.child.stdout, qemu.child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output.push(chunk);
      watch.onOutput(chunk.length);
    });
  }
  const isBooted = (): boolean => output.text().includes(BOOTED);
  const outcome = await outcomeOf(qemu, isBooted, watch, limits.totalMs);
  qemu.child.kill("SIGKILL");
  await qemu.exited;
  if (isBooted()) return { accelerator: "kvm", reason: "a guest boots under KVM", isFinal: true };
  const lastWords = output.lines(1)[0] ?? "no output";
  const reason = `/dev/kvm is there, but a guest under it ${outcome.how}: ${lastWords}`;
  return { accelerator: "tcg", reason, isFinal: outcome.isFinal };
}

/** Waits until the guest has booted, has ended, hangs, or has had its time. */
async function outcomeOf(
  qemu: TiedProcess,
  isBooted: () => boolean,
  watch: StandstillWatch,
  totalMs: number,
): Promise<{ readonly how: string; readonly isFinal: boolean }> {
  const giveUpAt = performance.now() + totalMs;
  const ended = qemu.exited.then(() => true);
  while (performance.now() < giveUpAt && !isBooted()) {
    if (await Promise.race([ended, delay(SAMPLE_MS, false)])) return { how: "ended", isFinal: true };
    const still = watch.sample();
    if (still !== undefined) return { how: still, isFinal: true };
  }
  const seconds = String(totalMs / 1000);
  return { how: `had not booted after ${seconds} s, though it made progress`, isFinal: false };
}

/** Each character on the console leaves the guest some times: all of a kernel's would take longer than its boot. */
const GUEST_PARAMETERS = "console=ttyS0 loglevel=6 panic=-1 reboot=k root=/dev/none cryptomgr.notests no_timer_check";

/** The monitor is descriptor 3: a socket without a path needs no directory. */
function trialArgv(kernelPath: string): string[] {
  return [
    ...["-machine", "q35", "-accel", "kvm", "-cpu", "host", "-m", "256M", "-no-user-config", "-nodefaults"],
    ...["-no-reboot", "-display", "none", "-serial", "stdio"],
    ...["-chardev", "socket,id=monitor,fd=3", "-mon", "chardev=monitor,mode=control"],
    ...["-kernel", kernelPath, "-append", GUEST_PARAMETERS],
  ];
}
