import type { SpecProcess } from "@kata-ts/agent-protocol";
import { inheritedLimits, type ResourceLimit } from "@kata-ts/linux";

/**
 * A process with every limit named: those that config.json does not name are the caller's, as a child of runc inherits
 * them. The guest's own are those of a machine that has just booted.
 */
export function withInheritedLimits(
  process: SpecProcess,
  caller: readonly ResourceLimit[] = inheritedLimits(),
): SpecProcess {
  const named = process.rlimits ?? [];
  const inherited = caller.filter(({ type }) => !named.some((limit) => limit.type === type));
  return { ...process, rlimits: [...named, ...inherited] };
}
