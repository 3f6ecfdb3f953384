import type { ProcessIdentity } from "@kata-ts/linux";
import type { ContainerRecord } from "../ports/store.ts";

export function exampleRecord(id: string): ContainerRecord {
  return {
    version: 2,
    id,
    sandboxId: id,
    status: "creating",
    generation: 0,
    ociVersion: "1.0.2",
    bundle: "/bundle",
    rootfs: "/bundle/rootfs",
    created: "2026-01-01T00:00:00.000Z",
    annotations: { a: "b" },
    bootId: "boot",
  };
}

export interface ExampleVm {
  /** The bundle, which is its root file system, too; the VM's directory is below it. */
  readonly directory: string;
  /** `unix:///path/to/proxy.sock`. */
  readonly agentUrl: string;
  /** The one process that stands for the VM and for the shim. */
  readonly process: ProcessIdentity;
  readonly bootId: string;
}

/** The record of a container that runs, in a VM that a test plays. */
export function runningRecord(id: string, { directory, agentUrl, process, bootId }: ExampleVm): ContainerRecord {
  return {
    ...exampleRecord(id),
    status: "running",
    generation: 1,
    bundle: directory,
    rootfs: directory,
    annotations: {},
    bootId,
    shim: process,
    vm: { dir: `${directory}/vm`, agentUrl, processes: [process], vmm: process, accelerator: "tcg" },
  };
}
