import { existsSync } from "node:fs";
import type { QemuConfig } from "@kata-ts/virtcontainers";
import type { ChannelOptions } from "./sections/channel.ts";

/** The device of the host's driver. */
const VHOST_VSOCK = "/dev/vhost-vsock";

/** What backs a guest's vsock device; undefined where the agent is reached over a serial port. */
export function vsockOf(options: ChannelOptions, device: string = VHOST_VSOCK): QemuConfig["vsock"] {
  if (options.use_vsock !== true) return undefined;
  const daemonPath = options.vsock_daemon ?? "";
  if (daemonPath !== "") return { daemonPath };
  return existsSync(device) ? {} : undefined;
}

/** Why the serial port is used although vsock was asked for. */
export function vsockWarnings(options: ChannelOptions, device: string = VHOST_VSOCK): string[] {
  if (options.use_vsock !== true || vsockOf(options, device) !== undefined) return [];
  return [
    `use_vsock has no effect: this host has no ${device}; the agent is reached over a serial port. Load vhost_vsock, or set vsock_daemon`,
  ];
}
