import type { AllPorts } from "@kata-ts/virtcontainers";
import type { Configuration } from "./config/configuration.ts";
import type { Installation } from "./config/installation.ts";
import type { Observation } from "./observe/observe.ts";

/** What an entry point tells the runtime about a call of it: settings that are not of any container, and where to report. */
export interface RuntimeContext extends Observation {
  /** The directory that the records of containers are in. */
  readonly root: string;
  /** The configuration.toml to use; undefined: the first of the usual places that exists. */
  readonly config: string | undefined;
  /** Whether systemd makes the cgroups of sandboxes. */
  readonly systemdCgroup: boolean;
  readonly installation: Installation;
  /** Global options by which another kata-runtime, started by this call, writes to the same log. */
  readonly logOptions: readonly string[];
  readonly timeline: StepNotes;
  /** Ports that this entry point makes in another way than kata-runtime does. */
  readonly makers?: Partial<PortMakers>;
}

/** When each step of a call was done. */
export interface StepNotes {
  note(step: string): void;
}

export type PortName = Exclude<keyof AllPorts, "warn" | "trace">;

/** How each port is made. */
export type PortMakers = {
  readonly [N in PortName]: (composition: Composition) => AllPorts[N] | Promise<AllPorts[N]>;
};

/** What the ports of a runtime are made from. */
export interface Composition {
  readonly context: RuntimeContext;
  /** What the options ask for; read when it is first asked for. @throws KataError KATA_CONFIG */
  readonly configuration: () => Promise<Configuration>;
  readonly warn: (message: string) => void;
}
