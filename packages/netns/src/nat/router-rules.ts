import { DECISIONS_AT_ONCE, DECISIONS_PER_SECOND } from "./decision-limit.ts";
import type { EgressRules } from "./egress-policy.ts";
import { isTooMany, listKey } from "./flow-limit.ts";

/** The group that the router's rules log to, and the prefixes of what they log. */
export const LOG_GROUP = 1;
export const LOG_ALLOWED = "allowed";
const LOG_REFUSED = "refused";

/** Of addresses that names were answered with: each leaves with its answer's lifetime. */
const MAX_ANSWERS = 8192;

export const ROUTER_TABLE = "inet kata-ts";
/** Addresses with a port. */
export const ANSWERS_WITH_PORT = "with_port";
/** Addresses, at all ports. */
export const ANSWERS = "any_port";

export interface RouterPlace {
  /** The router's interface towards the guest, and its address there. */
  readonly gate: string;
  readonly gateway: string;
  readonly guest: string;
  /** The router's interface towards the host. */
  readonly uplink: string;
}

const LOG_LIMIT = `limit rate ${String(DECISIONS_PER_SECOND)}/second burst ${String(DECISIONS_AT_ONCE)} packets`;

/** Each address of a guest that is answered makes an entry of a table of neighbours that all namespaces of the host share. */
const IPV6_LIMIT = "limit rate over 20/second burst 20 packets drop";

/**
 * Everything that a guest sends passes these rules, or is refused at once; nothing reaches it that it has not asked for.
 *
 * @param flows how many of its flows may be tracked: see flowLimit
 */
export function routerRules(
  { gate, gateway, guest, uplink }: RouterPlace,
  rules: "all" | EgressRules,
  flows: number,
): string {
  return `
table ${ROUTER_TABLE} {
  set ${ANSWERS_WITH_PORT} { type ipv4_addr . inet_service; flags timeout; size ${String(MAX_ANSWERS)}; }
  set ${ANSWERS} { type ipv4_addr; flags timeout; size ${String(MAX_ANSWERS)}; }
  set flows { typeof ${listKey(flows)}; size 256; flags dynamic; }
  chain input {
    type filter hook input priority 0; policy drop;
    iifname "lo" accept
    iifname "${gate}" meta nfproto ipv6 ${IPV6_LIMIT}
    iifname "${gate}" meta nfproto ipv4 ip saddr != ${guest} jump forged
    iifname "${gate}" ip daddr ${gateway} meta l4proto { tcp, udp } th dport 53 goto bounded
    ct state established,related accept
    iifname "${gate}" icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    iifname "${gate}" jump refuse
    reject with icmpx type admin-prohibited
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "${gate}" meta nfproto ipv6 ${IPV6_LIMIT}
    iifname "${gate}" meta nfproto ipv4 ip saddr != ${guest} jump forged
    ct state established,related accept
    iifname "${gate}" oifname "${uplink}" meta nfproto ipv4 jump egress
    iifname "${gate}" jump refuse
  }
  chain egress {
${egressRules(rules)}
  }
  chain permit {
    jump bound
    ct state new ${LOG_LIMIT} log group ${String(LOG_GROUP)} prefix "${LOG_ALLOWED}"
    accept
  }
  chain bounded {
    jump bound
    accept
  }
  chain bound {
    ${isTooMany("flows", listKey(flows), flows)} jump refuse
  }
  chain forged {
    ${LOG_LIMIT} log group ${String(LOG_GROUP)} prefix "${LOG_REFUSED}"
    drop
  }
  chain refuse {
    ${LOG_LIMIT} log group ${String(LOG_GROUP)} prefix "${LOG_REFUSED}"
    meta l4proto tcp reject with tcp reset
    reject with icmpx type admin-prohibited
  }
}
table ip kata-ts-nat {
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "${uplink}" masquerade
  }
}
`;
}

function egressRules(rules: "all" | EgressRules): string {
  if (rules === "all") return "    goto bounded";
  const ranges = rules.ranges.map(({ range, port }) => `    ip daddr ${range}${portMatch(port)} goto permit`);
  const answers = [
    `    ip daddr . th dport @${ANSWERS_WITH_PORT} meta l4proto { tcp, udp } goto permit`,
    `    ip daddr @${ANSWERS} goto permit`,
  ];
  return [...ranges, ...(rules.names.length === 0 ? [] : answers)].join("\n");
}

function portMatch(port: number | undefined): string {
  return port === undefined ? "" : ` meta l4proto { tcp, udp } th dport ${String(port)}`;
}
