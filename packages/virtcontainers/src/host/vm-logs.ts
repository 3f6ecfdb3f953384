import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AGENT_LOG_PREFIX } from "@kata-ts/agent-protocol/guest-contract";
import { escapeControls } from "@kata-ts/linux";
import { type VmExit, VmFile } from "@kata-ts/proxy";
import { reasonOf } from "../errors.ts";
import type { VmState } from "../ports/hypervisor.ts";
import { readExit } from "../vm/vm-exit.ts";

/** The program that wrote the line. `vmm` is QEMU and its helpers; `runtime` is their supervisor. */
export type LogSource = "kernel" | "agent" | "guest" | "vmm" | "runtime";

export interface LogLine {
  readonly source: LogSource;
  /** One line; what a guest says is escaped. */
  readonly text: string;
}

/** The kernel's own lines begin with the time since it started. */
const KERNEL_LINE = /^\[ *\d+\.\d+\]/;

/** What is kept of a VM's console, the older file first, and of its end. The guest is asked nothing. */
export async function vmLogs({ dir }: Pick<VmState, "dir">): Promise<LogLine[]> {
  const [older, newer, exit] = await Promise.all([
    readFile(join(dir, `${VmFile.console}.1`), "utf8").catch(() => ""),
    readFile(join(dir, VmFile.console), "utf8").catch(() => ""),
    exitLines(dir),
  ]);
  return [...consoleLines(older + newer), ...exit];
}

function consoleLines(text: string): LogLine[] {
  const lines = text.split(/\r*\n/).filter((line) => line !== "");
  return lines.map((line) => ({ source: sourceOf(line), text: escapeControls(line) }));
}

function sourceOf(line: string): LogSource {
  if (KERNEL_LINE.test(line)) return "kernel";
  return line.startsWith(AGENT_LOG_PREFIX) ? "agent" : "guest";
}

async function exitLines(dir: string): Promise<LogLine[]> {
  try {
    const exit = await readExit(dir);
    return exit === undefined ? [] : describeExit(exit);
  } catch (error) {
    return [{ source: "runtime", text: `the VM has ended, but its record cannot be read: ${reasonOf(error)}` }];
  }
}

function describeExit({ reason, phase, exitCode, signal, stderr }: VmExit): LogLine[] {
  const how = signal ?? `status ${String(exitCode)}`;
  const lines = stderr.map((line) => ({ source: "vmm" as const, text: line }));
  return [
    ...lines,
    { source: "runtime", text: `the VM has ended: ${reason}, ${how}; the guest had come to: ${phase}` },
  ];
}
