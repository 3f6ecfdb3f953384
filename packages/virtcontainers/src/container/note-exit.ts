import type { ContainerId } from "../identifiers.ts";
import type { Ports } from "../ports/ports.ts";

/**
 * Records that a container's first process has ended, where no process of the host ends with it. A container that was
 * deleted meanwhile needs no record.
 *
 * @param incarnation of the container that has ended
 */
export async function noteExit(
  id: ContainerId,
  incarnation: string | undefined,
  { store }: Ports<"store">,
): Promise<void> {
  await store.update(id, (before) => ({ ...before, status: "stopped" }), incarnation).catch(() => undefined);
}
