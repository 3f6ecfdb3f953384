import { HostCgroups } from "@kata-ts/virtcontainers";
import type { Composition } from "./composition.ts";

export function makeCgroups({ context, warn }: Composition): HostCgroups {
  return new HostCgroups(warn, { systemd: context.globals.systemdCgroup });
}
