import { isIP } from "node:net";
import { anything, exactly, type Fields, listOf, matching, oneOf, optional, type Shape } from "@kata-ts/linux/shape";
import { type Egress, parseEgress } from "@kata-ts/netns/nat";
import type { NetworkedOptions, NetworkOptions, PortOptions, SandboxNetworkChoice } from "./network-options.ts";
import { absolutePath, plainText } from "./process-shape.ts";

const namespaceShape: Shape<NetworkOptions> = exactly<NetworkOptions>({
  namespace: absolutePath,
  model: optional(anything<NonNullable<NetworkOptions["model"]>>()),
  dns: optional(listOf(plainText)),
});

const choice: Shape<SandboxNetworkChoice> = (value, place) => {
  if (typeof value !== "string") return namespaceShape(value, place);
  if (value === "nat" || value === "none") return value;
  throw new TypeError(`${place} is ${JSON.stringify(value)}, not "nat", "none" or { namespace }`);
};

export function portFrom(least: number): Shape<number> {
  return matching(
    `a port from ${String(least)} to 65535`,
    (value): value is number => Number.isInteger(value) && Number(value) >= least && Number(value) <= 65_535,
  );
}

const port: Shape<PortOptions> = exactly<PortOptions>({
  host: optional(portFrom(0)),
  container: portFrom(1),
  protocol: optional(oneOf("tcp", "udp")),
  address: optional(
    matching("an IP address", (value): value is string => typeof value === "string" && isIP(value) !== 0),
  ),
});

const list: Shape<{ readonly allow: readonly string[] }> = exactly<{ readonly allow: readonly string[] }>({
  allow: listOf(plainText),
});

const egress: Shape<Egress> = (value, place) => {
  const wanted = value === "all" || value === "none" ? value : list(value, place);
  parseEgress(wanted);
  return wanted;
};

/** The fields of NetworkedOptions. */
export const NETWORKED: Fields<NetworkedOptions> = {
  network: optional(choice),
  ports: optional(listOf(port)),
  egress: optional(egress),
};

/** @throws TypeError for options that need another network than there is */
export function requireNat({ network, ports, egress: wanted }: NetworkedOptions, place: string): void {
  if (network === "nat") return;
  const option = ports !== undefined && ports.length > 0 ? "ports" : wanted === undefined ? undefined : "egress";
  if (option !== undefined) throw new TypeError(`${place}.${option} needs network: "nat"`);
}
