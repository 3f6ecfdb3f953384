import type { Duplex } from "node:stream";
import type { TiedProcess } from "@kata-ts/linux";
import { DnsForwarder } from "./dns-forwarder.ts";
import type { GuestChannel } from "./guest-channel.ts";
import { serveGuestStream } from "./guest-stream.ts";
import { Relay } from "./relay.ts";
import type { VmSpec } from "./vm-spec.ts";
import { VsockChannel } from "./vsock-channel.ts";
import type { SocketPlace, Vsock } from "./vsock-device.ts";

/** Ours to the guest, and whom the guest may ask over it. */
export interface Channel {
  readonly guest: GuestChannel;
  readonly agentUrl: string;
  readonly vsockDaemon?: TiedProcess | undefined;
  readonly place?: SocketPlace | undefined;
  readonly dns: DnsForwarder;
}

/** Over vsock where the VM has it, else over its serial port, where runtime and shims connect to this process. */
export async function openChannel(spec: VmSpec, vsock: Vsock | undefined): Promise<Channel> {
  const dns = new DnsForwarder(spec);
  const onGuestStream = (stream: Duplex): void => void serveGuestStream(stream, dns);
  if (vsock !== undefined) {
    const { agentUrl, daemon, place } = vsock;
    const guest = new VsockChannel({ agentUrl, onGuestStream, ready: place?.ready });
    return { dns, agentUrl, guest, vsockDaemon: daemon, place };
  }
  if (spec.machine.serialSocket === undefined) throw new Error("the VM has neither a serial port nor vsock");
  const sockets = { listenSocket: spec.proxySocket, muxSocket: spec.machine.serialSocket };
  return {
    dns,
    agentUrl: `unix://${spec.proxySocket}`,
    guest: await Relay.start({ ...sockets, onGuestStream, waitsForClient: spec.channelWaits ?? false }),
  };
}
