import type { SpecProcess } from "@kata-ts/agent-protocol";
import type { GuestProcess } from "@kata-ts/shim";
import type { ContainerId } from "../identifiers.ts";
import type { Agent } from "../ports/agent.ts";
import type { Vm } from "../ports/hypervisor.ts";
import type { Gate } from "./gate.ts";
import type { IdleWatch } from "./idle-watch.ts";
import type { SandboxLimits } from "./sandbox-limits.ts";

/** What a container, and its processes, are made of. */
export interface ContainerParts {
  readonly id: ContainerId;
  readonly sandboxId: ContainerId;
  readonly agent: Agent;
  readonly vm: Vm;
  /** Told what is under way. */
  readonly idle: IdleWatch;
  /** What comes and goes passes it: none does while the sandbox is saved. */
  readonly gate: Gate;
  /** The first process, which others take after. */
  readonly process: SpecProcess;
  /** Its user, where the guest has looked it up. */
  readonly user: string | undefined;
  /** Opens the stream of the first process; absent with an agent that has no such streams. */
  readonly token?: Uint8Array | undefined;
  /** Block devices were plugged in for it. */
  readonly hasDisks: boolean;
  /** Called when the first process was let run. */
  readonly onStarted: (first: GuestProcess) => void;
  /** Told when the first process has ended. */
  readonly onExit: (exitCode: number) => void;
  readonly limits: SandboxLimits;
  /** The sandbox is no more this program's: what is in it is not, either. */
  readonly isLetGo: () => boolean;
  /** Told when the container is gone. */
  readonly onRemoved: () => void;
  /** Once it is gone, again is fine; where it failed, again tries again. */
  readonly remove: () => Promise<void>;
}
