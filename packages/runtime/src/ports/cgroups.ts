import { HostCgroups } from "@kata-ts/virtcontainers";
import type { Composition } from "../context.ts";

export function makeCgroups({ context, warn }: Composition): HostCgroups {
  return new HostCgroups(warn, { systemd: context.systemdCgroup });
}
