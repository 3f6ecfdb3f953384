import { existsSync, writeFileSync } from "node:fs";
import { runBatch } from "../iproute.ts";
import { NetworkNamespace } from "../namespace.ts";
import type { EgressRules } from "./egress-policy.ts";
import { formatAddress, type Subnet } from "./ipv4.ts";
import { changeRules } from "./nft.ts";
import { type RouterPlace, routerRules } from "./router-rules.ts";

/** The addresses of a lease of eight, by their place in it: a link to the host, and a link to the guest. */
const [HOST, UPLINK, GATEWAY, GUEST] = [1, 2, 5, 6];
const LINK_BITS = "/30";
const [GATE, UP, GUEST_LINK] = ["gate", "uplink", "eth0"];

/** The link between router and guest: no other network sees these addresses. */
export interface GuestLink {
  readonly gateway: string;
  readonly guest: string;
}

export interface RouterOptions {
  readonly subnet: Subnet;
  /** That of a guest which has been in another network; else it is of the subnet. */
  readonly link?: GuestLink | undefined;
  /** The namespace that the guest takes its interface from. */
  readonly pod: NetworkNamespace;
  readonly mtu: number;
  readonly rules: "all" | EgressRules;
  /** How many flows of the guest may be tracked. */
  readonly flows: number;
}

/**
 * A network namespace between a guest's and the host's, that no other program knows of: what the host's firewall does cannot
 * open it, and it ends with this process, with all that is in it.
 */
export class Router implements AsyncDisposable {
  readonly namespace: NetworkNamespace;
  readonly place: RouterPlace;
  /** The address that the guest's packets come from in the host's network. */
  readonly uplinkAddress: string;
  /** The host's interface towards it. */
  readonly hostLink: string;

  private constructor(namespace: NetworkNamespace, { base }: Subnet, link: GuestLink | undefined) {
    this.namespace = namespace;
    this.uplinkAddress = formatAddress(base + UPLINK);
    this.hostLink = `kts-${base.toString(16)}`;
    const ofSubnet = { gateway: formatAddress(base + GATEWAY), guest: formatAddress(base + GUEST) };
    this.place = { gate: GATE, uplink: UP, ...(link ?? ofSubnet) };
  }

  /** @throws NetnsError KATA_NETWORK; nothing is left then */
  static async create({ subnet, link, pod, mtu, rules, flows }: RouterOptions): Promise<Router> {
    const router = new Router(NetworkNamespace.create(), subnet, link);
    try {
      // Rules are there before a link: no packet passes without them.
      await changeRules(router.namespace.path, routerRules(router.place, rules, flows));
      router.namespace.run(forwardHere);
      await router.#connect(subnet, pod, mtu);
      return router;
    } catch (error) {
      await router[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #connect({ base }: Subnet, pod: NetworkNamespace, mtu: number): Promise<void> {
    const { namespace, place, hostLink } = this;
    const hostAddress = formatAddress(base + HOST);
    const size = `mtu ${String(mtu)}`;
    const quiet = (link: string): string[] => (hasIpv6(namespace) ? [`link set dev ${link} addrgenmode none`] : []);
    await runBatch("ip", undefined, [
      `link add ${hostLink} ${size} type veth peer name ${UP} ${size} netns ${namespace.path}`,
      ...quiet(hostLink),
      `addr add ${hostAddress}${LINK_BITS} dev ${hostLink}`,
      `link set ${hostLink} up`,
    ]);
    await runBatch("ip", namespace.path, [
      `link add ${GATE} ${size} type veth peer name ${GUEST_LINK} ${size} netns ${pod.path}`,
      ...quiet(GATE),
      ...quiet(UP),
      "link set lo up",
      `addr add ${this.uplinkAddress}${LINK_BITS} dev ${UP}`,
      `addr add ${place.gateway}${LINK_BITS} dev ${GATE}`,
      // A guest that gives itself IPv6 is answered, too: that nothing leads on.
      ...(hasIpv6(namespace) ? [`addr add fe80::1/64 dev ${GATE} nodad`] : []),
      `link set ${UP} up`,
      `link set ${GATE} up`,
      `route add default via ${hostAddress}`,
    ]);
    namespace.run(answerNeighboursOnly); // The guest's end is down.
    await runBatch("ip", pod.path, [
      ...quiet(GUEST_LINK),
      "link set lo up",
      `addr add ${place.guest}${LINK_BITS} dev ${GUEST_LINK}`,
      `link set ${GUEST_LINK} up`,
      `route add default via ${place.gateway}`,
    ]);
  }

  /** Its interface on the host goes at once; the namespace with the last of what is open in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await runBatch("ip", undefined, [`link del ${this.hostLink}`], { force: true });
    this.namespace[Symbol.dispose]();
  }
}

/** With the calling thread inside. */
function forwardHere(): void {
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  if (existsSync("/proc/sys/net/ipv6/conf/all")) writeFileSync("/proc/sys/net/ipv6/conf/all/forwarding", "1");
}

/**
 * With the calling thread inside. Who asks by ARP gets into a table that all namespaces of the host share: on the guest's link only
 * an address of the link's own subnet does.
 */
function answerNeighboursOnly(): void {
  writeFileSync(`/proc/sys/net/ipv4/conf/${GATE}/arp_ignore`, "2");
}

/** A kernel may be without it. */
function hasIpv6(namespace: NetworkNamespace): boolean {
  return namespace.run(() => existsSync("/proc/sys/net/ipv6/conf/all"));
}
