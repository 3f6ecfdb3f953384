import { isIP, isIPv6 } from "node:net";
import { UsageError } from "../arguments/parse.ts";
import type { PortMapping } from "./network-note.ts";

const MAX_PORT = 65_535;
/** Each is a relay on the host, or rules of its firewall: more are a slip. */
const MAX_PORTS = 1024;
const MAPPING =
  /^(?:(\d+(?:\.\d+){3}|\[[\da-f:.]+\]):)?(?:(\d{1,5}(?:-\d{1,5})?)?:)?(\d{1,5}(?:-\d{1,5})?)(?:\/(tcp|udp))?$/i;

interface PortRange {
  readonly first: number;
  readonly length: number;
}

/**
 * `[ADDRESS:][HOST:]CONTAINER[/tcp|/udp]`, as Docker has it; both ports may be ranges, `8000-8010`, of the same length. With a range for one
 * port of the container it is any of the range that is free; without a port of the host, or with 0, any at all.
 *
 * @returns a mapping for each port of the container
 * @throws UsageError
 */
export function parsePort(mapping: string): PortMapping[] {
  const found = MAPPING.exec(mapping);
  const [, bracketed = "", hostText = "", containerText = "", protocol = "tcp"] = found ?? [];
  const hostIP = bracketed.replace(/^\[(.*)\]$/, "$1");
  const [host, container] = [rangeOf(hostText || "0"), rangeOf(containerText)];
  const isAddress = hostIP === "" || isIP(hostIP) !== 0;
  if (!isAddress || host === undefined || container === undefined || container.first === 0) {
    throw new UsageError(
      `--publish takes [ADDRESS:][HOSTPORT:]PORT or that with /udp, and ranges such as 8000-8010, not "${mapping}"`,
    );
  }
  const isAny = host.first === 0;
  const isOneOf = host.length > 1 && container.length === 1;
  if (!isAny && !isOneOf && host.length !== container.length) {
    throw new UsageError(
      `--publish takes ranges of the same length on both sides, or a range of the host for one port, not "${mapping}"`,
    );
  }
  const isUdp = protocol.toLowerCase() === "udp";
  return Array.from({ length: container.length }, (_, index) => ({
    ...(hostIP !== "" && { hostIP }),
    hostPort: isAny || isOneOf ? 0 : host.first + index,
    ...(isOneOf && { hostPorts: Array.from({ length: host.length }, (_none, at) => host.first + at) }),
    containerPort: container.first + index,
    protocol: isUdp ? "udp" : "tcp",
  }));
}

/** Undefined for what is no range of ports. A range does not begin with 0, which is any port. */
function rangeOf(text: string): PortRange | undefined {
  if (text === "") return undefined;
  const [first = 0, last = first] = text.split("-").map(Number);
  if (last > MAX_PORT || last < first || (first === 0 && last > 0)) return undefined;
  return { first, length: last - first + 1 };
}

/** Each port of the host leads to one place. @throws UsageError */
export function parsePorts(texts: readonly string[]): PortMapping[] {
  const ports = texts.flatMap(parsePort);
  if (ports.length > MAX_PORTS)
    throw new UsageError(`--publish takes at most ${String(MAX_PORTS)} ports, not ${String(ports.length)}`);
  for (const [index, port] of ports.entries()) {
    const other = ports.slice(0, index).find((before) => collide(before, port));
    if (other !== undefined) throw new UsageError(`--publish has the host port ${hostPortOf(port)} twice`);
  }
  return ports;
}

/** Whether both cannot be at the same time. */
export function collide(one: PortMapping, other: PortMapping): boolean {
  const isSame = one.hostPort !== 0 && one.hostPort === other.hostPort && one.protocol === other.protocol;
  return isSame && (isAnyAddress(one) || isAnyAddress(other) || one.hostIP === other.hostIP);
}

function isAnyAddress({ hostIP }: PortMapping): boolean {
  return hostIP === undefined || hostIP === "0.0.0.0" || hostIP === "::";
}

/** `8080/tcp`, or `8000-8010/tcp` where it may be any of these. */
export function hostPortOf({ hostPort, hostPorts = [hostPort], protocol }: PortMapping): string {
  return `${[...new Set([hostPorts[0], hostPorts.at(-1)])].join("-")}/${protocol}`;
}

/** `80/tcp`. */
export function containerPortOf({ containerPort, protocol }: PortMapping): string {
  return `${String(containerPort)}/${protocol}`;
}

/** Where the host listens: `0.0.0.0:8080`. */
export function hostPlaceOf({ hostIP = "0.0.0.0", hostPort }: PortMapping): string {
  return `${isIPv6(hostIP) ? `[${hostIP}]` : hostIP}:${String(hostPort)}`;
}
