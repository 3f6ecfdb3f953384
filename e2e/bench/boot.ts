import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connectAgent } from "@kata-ts/agent-protocol";
import { defaultQemuConfig, type QemuConfig, QemuVmm, VmmHypervisor } from "@kata-ts/virtcontainers";
import { SHARE } from "../harness/paths.ts";
import { compare, median, type Row } from "./measure.ts";

const RUNS = 5;
const PHASES = ["kernel", "init", "agent", "ready"] as const;

type Timeline = Record<"qemu" | (typeof PHASES)[number], number>;

type BootedMachine = Pick<QemuConfig, "kernelPath"> & Partial<Pick<QemuConfig, "initrdPath" | "machine">>;

/** Where the time of a boot goes, in milliseconds since QEMU was spawned. */
export async function boot(machine: BootedMachine): Promise<Row[]> {
  const config = { ...defaultQemuConfig, ...machine, imagePath: join(SHARE, "rootfs.ext4") };
  const hypervisor = new VmmHypervisor({ vmm: new QemuVmm(config) });
  const reached: Map<string, number[]> = new Map();
  const note = (phase: string, since: number, at: number): void => {
    reached.set(phase, [...(reached.get(phase) ?? []), at - since]);
  };
  for (let run = 0; run <= RUNS; run++) {
    const called = Date.now();
    const vm = await hypervisor.boot({ sandboxId: `bench-${String(run)}` });
    using agent = connectAgent(vm.state.agentUrl);
    await agent.check({}, { waitForReady: true });
    const answered = Date.now();
    const timeline = JSON.parse(readFileSync(join(vm.state.dir, "boot.json"), "utf8")) as Timeline;
    await vm.stop();
    if (run === 0) continue;
    note("QEMU spawned, since the call", called, timeline.qemu);
    for (const phase of PHASES) note(NAMES[phase], timeline.qemu, timeline[phase]);
    note("first RPC answered", timeline.qemu, answered);
  }
  return [...reached].map(([what, values]) => ({ what, value: median(values), unit: "ms" }));
}

/** A microvm's boot beside a q35 machine's. */
export async function bootMachines(kernelPath: string): Promise<Row[]> {
  const usual = await boot({ kernelPath });
  const others = await boot({ kernelPath, machine: { type: "microvm" } });
  return usual.flatMap((row, phase) => {
    const yardstick = { ...row, what: `q35: ${row.what}` };
    const other = others[phase];
    return other === undefined ? [] : [yardstick, compare({ ...other, what: `microvm: ${other.what}` }, yardstick)];
  });
}

const NAMES: Record<(typeof PHASES)[number], string> = {
  kernel: "first line on the console",
  init: "init runs",
  agent: "agent's first line",
  ready: "agent listens",
};
