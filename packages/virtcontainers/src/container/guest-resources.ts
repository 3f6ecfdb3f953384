import type { SpecResources } from "@kata-ts/agent-protocol";

/** What the guest is told of a container's limits. */
export function guestResources(resources: SpecResources): SpecResources {
  const { cpu, memory, blockIO, ...others } = resources;
  return {
    ...others,
    // Numbers of the host's processors and memory nodes mean nothing in the guest; the host's cgroup applies them.
    ...(cpu === undefined ? {} : { cpu: asked(cpu, ["cpus", "mems"]) }),
    ...(memory === undefined ? {} : { memory: asked(memory) }),
    ...(blockIO === undefined ? {} : { blockIO: asked(blockIO) }),
  };
}

/** Engines written in Go write 0 for what nobody asked for; runc takes it so, and crun does not. */
function asked<T extends object>(limits: T, left: readonly string[] = []): T {
  const entries = Object.entries(limits).filter(([name, value]) => value !== 0 && value !== 0n && !left.includes(name));
  return Object.fromEntries(entries) as T;
}
