import type { grpc, RuntimeSpec } from "@kata-ts/agent-protocol";
import type { Agent } from "../ports/agent.ts";
import type { Vm } from "../ports/hypervisor.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import type { UndoStack } from "../undo.ts";
import type { ContainerConfig } from "./config.ts";
import { createInGuest, type ProcessInGuest } from "./in-guest.ts";
import { prepareDevices } from "./prepare-devices.ts";
import { prepareMounts } from "./prepare-mounts.ts";

/** A running VM, and its agent. */
export interface Guest {
  readonly vm: Vm;
  readonly agent: Agent;
}

export interface FirstProcess extends ProcessInGuest {
  /** As the guest has got it: with its paths. */
  readonly spec: RuntimeSpec;
  /** Block devices of the host were plugged in for it. */
  readonly hasDisks: boolean;
}

interface FirstProcessOptions {
  /** Told of a block device that the host uses itself, and that the guest does not get therefore. It may throw. */
  readonly onBusyDevice: (message: string) => void;
  readonly trace?: ((step: string, id: string) => void) | undefined;
}

function isDisk({ driver }: grpc.Storage.$Properties): boolean {
  return driver === "blk" || driver === "scsi";
}

/** Kata's name for it. */
const BUNDLE_ANNOTATION = "io.katacontainers.pkg.oci.bundle_path";

/**
 * Gives the guest a container's files and devices, and has it make the container: its first process waits to be started.
 *
 * @param undo takes back what was given
 */
export async function createFirstProcess(
  config: ContainerConfig,
  { vm, agent }: Guest,
  undo: UndoStack,
  { onBusyDevice, trace }: FirstProcessOptions,
): Promise<FirstProcess> {
  const { spec, storages } = await prepareMounts(config, { vm, agent }, undo);
  const devices = await prepareDevices(config, vm, undo, onBusyDevice);
  trace?.("mounts prepared", config.id);
  const request = {
    container_id: config.id,
    exec_id: config.id,
    sandbox_pidns: config.sharePidNamespace ?? false,
    storages: [...storages],
    devices,
  };
  const created = createInGuest(agent, request, withBundle(spec, config), config);
  const started = await wrapAgentError(`create container ${config.id}`, created);
  return { ...started, spec, hasDisks: devices.length > 0 || storages.some(isDisk) };
}

/** startContainer hooks, which the guest runs, learn of the bundle by an annotation. */
function withBundle(spec: RuntimeSpec, { bundle }: ContainerConfig): RuntimeSpec {
  return bundle === "" ? spec : { ...spec, annotations: { ...spec.annotations, [BUNDLE_ANNOTATION]: bundle } };
}
