import type { Readable, Writable } from "node:stream";
import type { Response, SpecMount, SpecProcess, SpecResources } from "@kata-ts/agent-protocol";
import type { CheckpointRequest } from "./checkpoint-request.ts";

/** How a process ended: its status, or 128 + signal; 255 where its guest was lost. */
export interface Exit {
  readonly status: number;
  readonly at: Date;
}

/** A process in a guest, with its streams. */
export interface PodProcess {
  /** The host's pid that stands for it. */
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Ends at once for a process with a terminal. */
  readonly stderr: Readable;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  resize(size: { readonly rows: number; readonly columns: number }): void;
  /** Nothing reads this output any more: the process learns it as from a pipe, and the rest is dropped. */
  readerGone(output: "stdout" | "stderr"): void;
}

/** A container to be made of a bundle whose root file system is in place. */
export interface PodContainerRequest {
  readonly id: string;
  /** The directory with its config.json. */
  readonly bundle: string;
  /** The configuration that the engine names for its runtime; the usual one otherwise. */
  readonly configPath: string | undefined;
  /** Whether its engine tells of its cgroups as systemd does. */
  readonly systemdCgroup: boolean;
  /** The directory of a snapshot that it is gone on with from; its processes stand still until `start`. */
  readonly checkpoint: string | undefined;
}

/** A virtual machine that is to be there before any container. */
export interface PodSandboxRequest {
  /** The pod's. */
  readonly id: string;
  /** A path; a namespace is made where there is none. */
  readonly networkNamespace: string | undefined;
  readonly hostname: string;
  readonly cgroupsPath: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  /** What each of its containers has mounted that has no bind mount of its own there. */
  readonly mounts: readonly SpecMount[];
}

/** What a shim's containers run in: a virtual machine, which the first of them makes and the last one ends. */
export interface Pod extends AsyncDisposable {
  /** Makes the VM before any container. @returns the host's pid that stands for it */
  boot(request: PodSandboxRequest): Promise<number>;
  /** Ends the VM, with all that runs in it. Idempotent. */
  stop(): Promise<void>;
  create(request: PodContainerRequest): Promise<PodProcess>;
  start(id: string): Promise<void>;
  exec(id: string, execId: string, process: SpecProcess): Promise<PodProcess>;
  signal(id: string, signal: number, options: { readonly execId?: string; readonly all?: boolean }): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Saves a container with its VM. It goes on then, unless it is to exit; and where that fails. */
  checkpoint(id: string, request: CheckpointRequest): Promise<void>;
  update(id: string, resources: SpecResources): Promise<void>;
  stats(id: string): Promise<Response<"statsContainer">>;
  /** Forgets a process of `exec` that has ended. */
  deleteExec(id: string, execId: string): void;
  /** Removes a container, whatever its state. */
  delete(id: string): Promise<void>;
  /** Called when a container ran into its limit of memory. */
  onOutOfMemory(listener: (containerId: string) => void): void;
  /** Called when the VM has ended. */
  onEnd(listener: () => void): void;
}
