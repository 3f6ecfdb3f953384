import type { types } from "@kata-ts/agent-protocol";
import type { Commands } from "../commands.ts";
import { ipJson } from "./ip.ts";

interface GuestAddress {
  readonly family: "inet" | "inet6";
  readonly local: string;
  readonly prefixlen: number;
}

export interface GuestLink {
  readonly ifname: string;
  readonly address?: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly addr_info?: readonly GuestAddress[];
}

const IFF_NOARP = 0x80;
const V6 = 1;

export function readLinks(commands: Commands): Promise<GuestLink[]> {
  return ipJson<GuestLink>(commands, "addr", "show");
}

export async function listInterfaces(commands: Commands): Promise<types.Interface.$Properties[]> {
  return (await readLinks(commands)).map(toInterface);
}

export function toInterface(link: GuestLink): types.Interface.$Properties {
  return {
    device: link.ifname,
    name: link.ifname,
    mtu: link.mtu,
    hwAddr: link.address ?? "",
    IPAddresses: (link.addr_info ?? []).map(({ family, local, prefixlen }) => ({
      family: family === "inet6" ? V6 : 0,
      address: local,
      mask: String(prefixlen),
    })),
    raw_flags: link.flags.includes("NOARP") ? IFF_NOARP : 0,
  };
}
