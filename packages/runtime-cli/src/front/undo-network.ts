import { basename } from "node:path";
import { type ProcessIdentity, processEnd, signalProcess } from "@kata-ts/linux";
import { removeNamespace } from "@kata-ts/netns";
import { sweepNat } from "@kata-ts/netns/nat";
import { undoBridge } from "./bridge-network.ts";
import { holderElsewhere } from "./claimed-name.ts";
import { hasNatNote, readNatNote } from "./nat-note.ts";
import { namespacePath } from "./network-place.ts";

/** A process that keeps a network takes it back within this time, or is ended by force. */
const END_MS = 20_000;

/**
 * Takes back what a bundle's container was given. Idempotent. Of a bundle that has outlived a reboot, whose name a container of another data
 * directory has by now, nothing is left on the host.
 */
export async function undoNetwork(bundle: string): Promise<void> {
  if (holderElsewhere(bundle) !== undefined) return;
  await undoNat(bundle);
  await undoBridge(bundle);
}

/** Takes back what a bundle's container was given, with the process that keeps it, unless that is this one. Idempotent. */
export async function undoNat(bundle: string): Promise<void> {
  if (!hasNatNote(bundle)) return;
  const { keeper, namespace } = readNatNote(bundle) ?? {
    keeper: undefined,
    namespace: namespacePath(basename(bundle)),
  };
  if (keeper !== undefined && keeper.pid !== process.pid) await end(keeper);
  removeNamespace(namespace);
  await sweepNat();
}

async function end(keeper: ProcessIdentity): Promise<void> {
  if (!signalProcess(keeper, "SIGTERM")) return;
  try {
    await processEnd(keeper, AbortSignal.timeout(END_MS));
  } catch {
    signalProcess(keeper, "SIGKILL");
    await processEnd(keeper, AbortSignal.timeout(END_MS));
  }
}
