import { listOf, object, optional, parseShape, quantity, text } from "@kata-ts/linux/shape";
import { runBatch } from "../iproute.ts";
import { parseSubnet, type Subnet } from "./ipv4.ts";

const routesShape = listOf(
  object<{ readonly dst: string; readonly dev?: string; readonly gateway?: string }>({
    dst: text,
    dev: optional(text),
    gateway: optional(text),
  }),
);
const linksShape = listOf(object<{ readonly ifname: string; readonly mtu: number }>({ ifname: text, mtu: quantity }));

const ETHERNET_MTU = 1500;

/** What matters of the host's network to a sandbox that uses it. */
export interface HostRoutes {
  /** What its routes lead to, except everywhere. */
  readonly used: readonly Subnet[];
  /** Of the interface that leads everywhere; 1500 where there is none. */
  readonly mtu: number;
}

/** @throws NetnsError KATA_NETWORK without iproute2 */
export async function hostRoutes(): Promise<HostRoutes> {
  const [routes, links] = await Promise.all([
    runBatch("ip", undefined, ["route show table all"], { flags: ["-j", "-4"] }),
    runBatch("ip", undefined, ["link show"], { flags: ["-j"] }),
  ]);
  return readHostRoutes(routes, links);
}

export function readHostRoutes(routesJson: string, linksJson: string): HostRoutes {
  const routes = parseShape(routesShape, routesJson === "" ? "[]" : routesJson, "ip route");
  const used = routes.flatMap(({ dst }) => parseSubnet(dst) ?? []).filter(({ bits }) => bits > 0);
  const device = routes.find(({ dst }) => dst === "default")?.dev;
  const link = parseShape(linksShape, linksJson, "ip link").find(({ ifname }) => ifname === device);
  return { used, mtu: Math.min(link?.mtu ?? ETHERNET_MTU, ETHERNET_MTU) };
}
