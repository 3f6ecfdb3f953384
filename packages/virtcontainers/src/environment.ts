import type { ConnectAgent } from "./ports/agent.ts";
import type { Cgroups } from "./ports/cgroups.ts";
import type { Hypervisor } from "./ports/hypervisor.ts";
import type { Network } from "./ports/network.ts";
import type { Shims } from "./ports/shims.ts";
import type { Store } from "./ports/store.ts";

/** The ports that every operation works through. */
export interface Environment {
  readonly store: Store;
  readonly hypervisor: Hypervisor;
  readonly connectAgent: ConnectAgent;
  readonly network: Network;
  readonly cgroups: Cgroups;
  /** Told what went on without: what a guest could not apply, a hook that failed after the fact. */
  readonly warn: (message: string) => void;
  /** Told each step of an operation once it is done, for logs: `STEP of ID`. */
  readonly trace?: (step: string, id: string) => void;
}

/** For operations that put a process on the host beside the guest's. */
export interface ShimEnvironment extends Environment {
  readonly shims: Shims;
}

/** What an operation works through: these ports, and the callbacks for its warnings and steps. */
export type Ports<N extends keyof ShimEnvironment> = Pick<ShimEnvironment, N> & Pick<ShimEnvironment, "warn" | "trace">;
