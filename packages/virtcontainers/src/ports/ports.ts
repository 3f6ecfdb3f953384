import type { ConnectAgent } from "./agent.ts";
import type { Cgroups } from "./cgroups.ts";
import type { Hypervisor } from "./hypervisor.ts";
import type { Network } from "./network.ts";
import type { Shims } from "./shims.ts";
import type { Store } from "./store.ts";

/** Every port, and the callbacks of an operation. */
export interface AllPorts {
  readonly store: Store;
  readonly hypervisor: Hypervisor;
  readonly connectAgent: ConnectAgent;
  readonly network: Network;
  readonly cgroups: Cgroups;
  /** Puts a process on the host beside each process of a guest. */
  readonly shims: Shims;
  /** Called with what an operation went on without: a field that a guest could not apply, a hook that failed late. */
  readonly warn: (message: string) => void;
  /** Called after each step of an operation, for logs: `STEP of ID`. */
  readonly trace?: (step: string, id: string) => void;
}

/** What an operation works through: these ports (without names: all but shims), and the callbacks for warnings and steps. */
export type Ports<N extends keyof AllPorts = Exclude<keyof AllPorts, "shims">> = Pick<AllPorts, N> &
  Pick<AllPorts, "warn" | "trace">;
