import { NetnsError } from "../errors.ts";
import { type FilteredRange, numberOf } from "./filter-policy.ts";

/** An interface of the namespace, and the tap that its machine's frames come from. */
export interface FilteredLink {
  readonly link: string;
  readonly index: number;
  readonly tap: string;
  readonly mac: string;
  /** The machine's own, of both families. */
  readonly addresses: readonly string[];
}

/** Of connections that were made from outside, and of those who did: one for each, in each family. */
const MAX_FLOWS = 65_536;
const MAX_CALLERS = 4096;
/** A connection is new until another packet of it comes: a flood of first ones has to leave room again. So has a connection that is over. */
const [NEW, OPEN, CLOSING, DATAGRAMS, CALLERS] = ["60s", "1d", "60s", "180s", "30s"];
/** Each question for a neighbour makes an entry of tables that are not the guest's. */
const NEIGHBOUR_LIMIT = "limit rate over 50/second burst 100 packets drop";

export function tableOf(index: number): string {
  return `netdev kata-ts-${String(index)}`;
}

/**
 * Every frame of the machine's is compared with what it may call, and passed on, refused or dropped here, before any other program's
 * rules: none reaches the namespace itself. What comes from outside is passed on, and may be answered.
 */
export function filterRules(place: FilteredLink, ranges: readonly FilteredRange[]): string {
  const { link, index, tap, mac, addresses } = place;
  return `
table ${tableOf(index)} {
${sets(4, addresses)}
${sets(6, addresses)}
  chain from_machine {
    type filter hook ingress device "${tap}" priority 0; policy drop;
    ether saddr != ${mac} drop
    ether type arp goto neighbours4
    ether type ip goto calls4
    ether type ip6 goto calls6
  }
  chain neighbours4 {
    arp htype 1 arp ptype ip arp hlen 6 arp plen 4 arp saddr ether ${mac} arp saddr ip @own4 goto question
  }
  chain neighbours6 {
    ip6 hoplimit != 255 drop
    ip6 nexthdr != icmpv6 drop
    ip6 length > 32 drop
    icmpv6 type nd-neighbor-advert ip6 saddr @own6 goto targets6
    icmpv6 type nd-neighbor-solicit ip6 saddr @own6 goto question
    icmpv6 type nd-neighbor-solicit ip6 saddr :: goto targets6
  }
  chain targets6 {
${ownTargets(addresses)
  .map((rule) => `    ${rule}\n`)
  .join("")}  }
  chain question {
    ${NEIGHBOUR_LIMIT}
    goto pass
  }
  chain calls4 {
    ip saddr != @own4 drop
    ip hdrlength != 5 goto refuse
${allowed(4, ranges, "ip frag-off & 0x1fff != 0")}
    icmp type { echo-reply, destination-unreachable, time-exceeded, parameter-problem } ip daddr @callers4 goto pass
    goto refuse
  }
  chain calls6 {
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } goto neighbours6
    ip6 saddr != @own6 drop
    exthdr rt exists goto refuse
${allowed(6, ranges, "frag frag-off != 0")}
    icmpv6 type { echo-reply, destination-unreachable, packet-too-big, time-exceeded, parameter-problem } ip6 daddr @callers6 goto pass
    goto refuse
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmpx type admin-prohibited
  }
  chain pass {
    fwd to "${link}"
  }
  chain from_outside {
    type filter hook ingress device "${link}" priority 0; policy drop;
    ether type ip jump seen4
    ether type ip6 jump seen6
    fwd to "${tap}"
  }
${seen(4, ranges)}
${seen(6, ranges)}
}
`;
}

/** The machine has these addresses from now on, in place of those that it had. */
export function ownAddressesRules(index: number, addresses: readonly string[]): string {
  const table = tableOf(index);
  const sets = ([4, 6] as const).flatMap((family) => {
    const own = ofFamily(family, addresses);
    const set = `${table} own${String(family)}`;
    return [`flush set ${set}`, ...(own.length === 0 ? [] : [`add element ${set} { ${own.join(", ")} }`])];
  });
  const targets = ownTargets(addresses).map((rule) => `add rule ${table} targets6 ${rule}`);
  return [...sets, `flush chain ${table} targets6`, ...targets].map((command) => `${command}\n`).join("");
}

/**
 * What it says about an address, and asks before it uses one, passes for its own: with another's it would get, or stop, that one's packets.
 * The address stands behind the headers of IPv6 and ICMPv6; nft has no name for it before 1.0.8, and compares such bytes with no set.
 */
function ownTargets(addresses: readonly string[]): string[] {
  const [place, bits] = [String(8 * (40 + 8)), "128"];
  return ofFamily(6, addresses).map(
    (address) => `@nh,${place},${bits} 0x${numberOf(address).toString(16).padStart(32, "0")} goto question`,
  );
}

const TYPES = { 4: "ipv4_addr", 6: "ipv6_addr" } as const;
const HEADERS = { 4: "ip", 6: "ip6" } as const;

function sets(family: 4 | 6, addresses: readonly string[]): string {
  const [n, type, own] = [String(family), TYPES[family], ofFamily(family, addresses)];
  const elements = own.length === 0 ? "" : ` elements = { ${own.join(", ")} };`;
  return `  set own${n} { type ${type};${elements} }
  set flows${n} { type ${type} . ${type} . inet_proto . inet_service . inet_service; flags dynamic,timeout; size ${String(MAX_FLOWS)}; timeout ${DATAGRAMS}; }
  set closing${n} { type ${type} . ${type} . inet_proto . inet_service . inet_service; flags dynamic,timeout; size ${String(MAX_FLOWS)}; timeout ${CLOSING}; }
  set callers${n} { type ${type}; flags dynamic,timeout; size ${String(MAX_CALLERS)}; timeout ${CALLERS}; }`;
}

/** Parts of a packet that has no ports in it pass to what is allowed at all ports alone. */
function allowed(family: 4 | 6, ranges: readonly FilteredRange[], isLaterPart: string): string {
  const header = HEADERS[family];
  const mine = ranges.filter((range) => range.family === family);
  const whole = mine.filter(({ port }) => port === undefined);
  const ported = mine.filter(({ port }) => port !== undefined);
  const n = String(family);
  const flows = `flows${n}`;
  const answered = `${header} daddr . ${header} saddr . meta l4proto . th dport . th sport`;
  return [
    ...whole.map(({ range }) => `${header} daddr ${range} goto pass`),
    `${isLaterPart} goto refuse`,
    ...ported.map(
      ({ range, port }) => `${header} daddr ${range} meta l4proto { tcp, udp } th dport ${String(port)} goto pass`,
    ),
    `tcp flags & rst != 0 ${answered} @${flows} update @closing${n} { ${answered} } update @${flows} { ${answered} timeout ${CLOSING} } goto pass`,
    `${answered} @${flows} goto pass`,
  ]
    .map((rule) => `    ${rule}`)
    .join("\n");
}

/**
 * What may be answered: the same addresses and ports, the other way around. What the machine may call in any case is left out: its own calls
 * would fill the sets. The last packet of a connection that was closed is no different from those of an open one: that it is closing is kept.
 */
function seen(family: 4 | 6, ranges: readonly FilteredRange[]): string {
  const [n, header] = [String(family), HEADERS[family]];
  const tuple = `${header} saddr . ${header} daddr . meta l4proto . th sport . th dport`;
  const update = (timeout: string): string => `update @flows${n} { ${tuple} timeout ${timeout} }`;
  const closing = `update @closing${n} { ${tuple} }`;
  const ping = family === 4 ? "icmp type echo-request" : "icmpv6 type echo-request";
  const caller = `update @callers${n} { ${header} saddr }`;
  const callable = ranges
    .filter((range) => range.family === family)
    .map(({ range, port }) =>
      port === undefined
        ? `${header} saddr ${range} return`
        : `${header} saddr ${range} meta l4proto { tcp, udp } th sport ${String(port)} ${caller} return`,
    );
  return `  chain seen${n} {
${callable.map((rule) => `    ${rule}\n`).join("")}    meta l4proto udp ${update(DATAGRAMS)} ${caller}
    ${ping} ${caller}
    tcp flags & syn != 0 delete @closing${n} { ${tuple} }
    tcp flags & (fin | rst) != 0 ${tuple} @flows${n} ${closing}
    ${tuple} @closing${n} ${closing} ${update(CLOSING)} return
    tcp flags & syn == 0 ${tuple} @flows${n} ${update(OPEN)} return
    meta l4proto tcp ${update(NEW)} ${caller}
  }`;
}

function ofFamily(family: 4 | 6, addresses: readonly string[]): string[] {
  return addresses.filter((address) => address.includes(":") === (family === 6)).map(requireAddress);
}

/** They become words of nftables. */
function requireAddress(address: string): string {
  if (/^[\da-f:.]+$/i.test(address)) return address;
  throw new NetnsError("KATA_NETWORK", `${JSON.stringify(address)} is no address that a machine can have`);
}
