import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import { KataError } from "@kata-ts/virtcontainers";

/**
 * Refuses what a container depends on and cannot have in another kernel; what it can do without is in unsupported.ts.
 *
 * @throws KataError KATA_UNSUPPORTED
 */
export function refuseImpossible({ linux }: RuntimeSpec): void {
  const { seccomp, netDevices } = (linux ?? {}) as { seccomp?: { listenerPath?: unknown }; netDevices?: object };
  if (seccomp?.listenerPath !== undefined && seccomp.listenerPath !== "") {
    throw refused(
      "linux.seccomp.listenerPath",
      "the listener is a socket of the host's",
      "use another action than NOTIFY",
    );
  }
  if (Object.keys(netDevices ?? {}).length > 0) {
    throw refused(
      "linux.netDevices",
      "they stay in the host's kernel",
      "put the device into the container's network namespace before: the virtual machine takes over what is there",
    );
  }
}

function refused(field: string, why: string, hint: string): KataError {
  return new KataError("KATA_UNSUPPORTED", `config.json: ${field} cannot be had in a virtual machine: ${why}`, {
    hint,
  });
}
