import { readFileSync } from "node:fs";
import { overlap, parseSubnet, type Subnet } from "./ipv4.ts";

/** Where Azure and Alibaba Cloud answer for a machine's credentials; other clouds do it on its link. */
const CLOUDS = ["168.63.129.16", "100.100.100.200"];
/** What a name cannot mean: the machine itself, its link, its cloud, and groups. */
const NEVER: readonly Subnet[] = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", ...CLOUDS].flatMap(
  (text) => parseSubnet(text) ?? [],
);
/** The kernel's table of IPv4 routes: proc(5). */
const ROUTES = "/proc/thread-self/net/fib_trie";

/**
 * Whether an address that a name was answered with may be let through for it.
 *
 * @param own of ownAddresses(): who answers for a name is not to choose that a guest calls the services of its host
 */
export function isReachable(address: string, own: readonly Subnet[]): boolean {
  const subnet = parseSubnet(address);
  return subnet !== undefined && ![...NEVER, ...own].some((other) => overlap(subnet, other));
}

/** What the calling thread's network namespace takes for itself, on whichever of its interfaces. */
export function ownAddresses(): Subnet[] {
  return readOwnAddresses(readFileSync(ROUTES, "utf8"));
}

/** A leaf of the table is an address (`|-- 192.0.2.2`), and below it a line for each route (`/32 host LOCAL`). */
function readOwnAddresses(table: string): Subnet[] {
  const found: Map<string, Subnet> = new Map();
  let base = "";
  for (const line of table.split("\n")) {
    base = /^\s*\|-- (\S+)/.exec(line)?.[1] ?? base;
    const [, bits] = /^\s*\/(\d+) host LOCAL/.exec(line) ?? [];
    const subnet = bits === undefined ? undefined : parseSubnet(`${base}/${bits}`);
    if (subnet !== undefined) found.set(`${base}/${String(subnet.bits)}`, subnet);
  }
  return [...found.values()];
}
