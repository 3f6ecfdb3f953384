import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { escapeControls } from "@kata-ts/linux";
import { type VmExit, VmFile } from "@kata-ts/proxy";
import type { VmState } from "../ports/hypervisor.ts";

/** Who said it. `vmm` is QEMU and its helpers; `runtime` is what their watchman wrote down. */
export type LogSource = "kernel" | "agent" | "guest" | "vmm" | "runtime";

export interface LogLine {
  readonly source: LogSource;
  /** One line; what a guest says is escaped. */
  readonly text: string;
}

/** The kernel's own lines begin with the time since it started. */
const SOURCES: readonly (readonly [RegExp, LogSource])[] = [
  [/^\[ *\d+\.\d+\]/, "kernel"],
  [/^kata-agent: /, "agent"],
];

/** What is kept of a VM's console, the older file first, and of its end. The guest is asked nothing. */
export async function vmLogs({ dir }: Pick<VmState, "dir">): Promise<LogLine[]> {
  const [older, newer, exit] = await Promise.all([
    readFile(join(dir, `${VmFile.console}.1`), "utf8").catch(() => ""),
    readFile(join(dir, VmFile.console), "utf8").catch(() => ""),
    readFile(join(dir, VmFile.exit), "utf8").catch(() => undefined),
  ]);
  return [...consoleLines(older + newer), ...(exit === undefined ? [] : exitLines(exit))];
}

function consoleLines(text: string): LogLine[] {
  const lines = text.split(/\r*\n/).filter((line) => line !== "");
  return lines.map((line) => {
    const source = SOURCES.find(([pattern]) => pattern.test(line))?.[1] ?? "guest";
    return { source, text: escapeControls(line) };
  });
}

function exitLines(text: string): LogLine[] {
  const exit = parseExit(text);
  if (exit === undefined)
    return [{ source: "runtime", text: "the VM has ended; what it left of its end cannot be read" }];
  const { reason, phase, exitCode, signal, stderr } = exit;
  const how = signal ?? `status ${String(exitCode)}`;
  const said = stderr.map((line) => ({ source: "vmm" as const, text: line }));
  return [...said, { source: "runtime", text: `the VM has ended: ${reason}, ${how}; the guest had come to: ${phase}` }];
}

function parseExit(text: string): VmExit | undefined {
  try {
    const exit = JSON.parse(text) as VmExit | null;
    return Array.isArray(exit?.stderr) ? exit : undefined;
  } catch {
    return undefined;
  }
}
