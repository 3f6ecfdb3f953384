import { openForExisting } from "@kata-ts/runtime";
import { type ContainerId, deleteContainer } from "@kata-ts/virtcontainers";
import type { Context } from "../context.ts";

/** Ends a container and its virtual machine, whatever its state is, and removes its record. Idempotent. */
export async function removeContainer(id: ContainerId, context: Context): Promise<void> {
  const runtime = await openForExisting(context, id);
  const ports = await runtime.ports("store", "hypervisor", "cgroups", "connectAgent");
  await deleteContainer(id, { force: true }, ports);
}
