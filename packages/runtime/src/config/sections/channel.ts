import * as z from "zod/mini";
import { option, type ShapeOf } from "../option.ts";

/** How the guest's agent is reached. */
export interface ChannelOptions {
  readonly use_vsock?: boolean | undefined;
  readonly vsock_daemon?: string | undefined;
  readonly valid_vsock_daemon_paths?: readonly string[] | undefined;
}

export const channelOptions: ShapeOf<ChannelOptions> = {
  use_vsock: option(z.boolean(), {
    about:
      "the agent is reached over vsock instead of a serial port of the VM, where the host has `/dev/vhost-vsock` or `vsock_daemon` names a program. Where there is neither, a warning says so",
    initial: false,
  }),
  vsock_daemon: option(z.string(), {
    about: "vhost-device-vsock, a program that serves a VM's vsock device in place of the host's kernel",
    initial: "",
    hostOnly: true,
    validPaths: "valid_vsock_daemon_paths",
  }),
  valid_vsock_daemon_paths: option(z.array(z.string()), {
    about: "globs of what an annotation may set `vsock_daemon` to",
    initial: [],
    hostOnly: true,
  }),
};
