import type { Accelerator } from "./vm-config.ts";

export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  /** Why, for people. */
  readonly reason: string;
  /** When that was found, where it was not found just now: ISO 8601. */
  readonly found?: string;
}

export interface AcceleratorProbe {
  readonly qemuPath: string;
  readonly kernelPath: string;
  /** Where the answer is remembered, per kernel of the host, QEMU and kernel of the guest; absent: not at all. */
  readonly cacheFile?: string;
  /** Try it anew, whatever is remembered. */
  readonly fresh?: boolean;
  /** How much patience a guest is tried with. */
  readonly limits?: Partial<TrialLimits>;
  /** `/dev/kvm` by default. */
  readonly kvmDevice?: string;
}

export interface TrialLimits {
  /** Milliseconds of processor time, or of sleep, without a sign of progress: then the guest stands still. */
  readonly stillMs: number;
  /** Milliseconds for a guest that goes on making progress. */
  readonly totalMs: number;
}
