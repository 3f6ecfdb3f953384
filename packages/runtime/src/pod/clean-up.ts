import { isAlive } from "@kata-ts/linux";
import {
  type ContainerId,
  type ContainerRecord,
  deleteContainer,
  parseContainerId,
  type Store,
} from "@kata-ts/virtcontainers";
import { openForExisting } from "../open-runtime.ts";
import { contextOf, type PodOptions } from "./pod-options.ts";

/**
 * Ends and removes what is left of a container whose process was killed; with the last container of its pod the VM's
 * directory, network and cgroup go, too. A pod's first container takes the others along once the VM has ended: an engine may know the
 * pod by that one alone. Idempotent.
 *
 * @param options as those of its pod
 * @returns the bundles of the others that were removed
 */
export async function cleanUp(id: string, options: PodOptions): Promise<readonly string[]> {
  const container = parseContainerId(id);
  const runtime = await openForExisting(contextOf(options, options.makers ?? {}), container);
  const ports = await runtime.ports("store", "hypervisor", "cgroups", "connectAgent");
  const others = await deadMembers(container, ports.store);
  for (const other of others) await deleteContainer(other.id, { force: true }, ports);
  await deleteContainer(container, { force: true }, ports);
  return others.map(({ bundle }) => bundle);
}

interface Member {
  readonly id: ContainerId;
  readonly bundle: string;
}

async function deadMembers(pod: ContainerId, store: Store): Promise<readonly Member[]> {
  const found: Member[] = [];
  for (const id of await store.list()) {
    // One that another call removes meanwhile, or that cannot be read, is that call's, or gc's.
    const record = await store.read(id).catch(() => undefined);
    if (record === undefined || id === pod || record.sandboxId !== pod) continue;
    if (isLost(record)) found.push({ id, bundle: record.bundle });
  }
  return found;
}

/** Its VM has ended, or ends with the process that it belonged to. */
function isLost({ vm, shim, sharedShim = false }: ContainerRecord): boolean {
  if (vm === undefined || !isAlive(vm.vmm)) return true;
  return sharedShim && (shim === undefined || !isAlive(shim));
}
