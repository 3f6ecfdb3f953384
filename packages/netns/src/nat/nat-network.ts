import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { type FileLock, openPacketLog } from "@kata-ts/linux";
import { NetnsError } from "../errors.ts";
import { inNetworkNamespace, type NetworkNamespace } from "../namespace.ts";
import { AnsweredAddresses } from "./answered-addresses.ts";
import { decisionOf, type EgressDecision } from "./decisions.ts";
import { DnsRelay } from "./dns-relay.ts";
import { type Egress, parseEgress } from "./egress-policy.ts";
import { ForwardingNotes } from "./forwarding-notes.ts";
import { type ConnectOptions, connectGuest, type GuestPlace } from "./guest-port.ts";
import { hostRoutes } from "./host-routes.ts";
import { addToHostTable, droppingChains } from "./host-table.ts";
import { type SubnetLease, SubnetLeases } from "./lease.ts";
import { changeRules } from "./nft.ts";
import { publishAll } from "./publish-all.ts";
import { type PublishedPort, publishPort, type WantedPort } from "./published-ports.ts";
import { type GuestLink, Router } from "./router.ts";
import { LOG_GROUP } from "./router-rules.ts";
import { LEASES_DIRECTORY, sweep, uplinkOf } from "./sweep.ts";

const RESOLV_CONF = "/etc/resolv.conf";
const LOGGED_BYTES = 64;

export interface NatOptions {
  readonly egress: Egress;
  readonly ports: readonly WantedPort[];
  readonly warn: (message: string) => void;
  /** Called with what was changed for all of the host; `warn` by default. */
  readonly note?: (message: string) => void;
  /** Called with what became of each name and connection that a list decides on; floods are thinned. */
  readonly onDecision: (decision: EgressDecision) => void;
  /** The addresses of a guest that was in another network, and goes on in this one: it keeps them. */
  readonly link?: GuestLink | undefined;
  /** Where this host's leases are; `/run/kata-ts/nat` by default. */
  readonly leases?: string;
  /** The host's; `/etc/resolv.conf` by default. */
  readonly resolvConf?: string;
}

/**
 * A guest's way to the host's networks, without any preparation: an interface in its namespace, a router between that and the
 * host, address translation, names, published ports. It ends with this process; what the kernel keeps of one whose process was
 * killed is taken away by the next.
 */
export class NatNetwork implements AsyncDisposable {
  /** The guest's address, and its resolver's. */
  readonly address: string;
  readonly gateway: string;
  /** A file of the host: the resolv.conf for containers. */
  readonly resolvConf: string;
  readonly #router: Router;
  readonly #closers: (() => void | Promise<void>)[];
  readonly #ports: PublishedPort[] = [];

  private constructor(router: Router, resolvConf: string, closers: (() => void | Promise<void>)[]) {
    this.#router = router;
    this.#closers = closers;
    this.resolvConf = resolvConf;
    this.address = router.place.guest;
    this.gateway = router.place.gateway;
  }

  /**
   * @param pod the namespace that the guest takes its interface from, which is empty
   * @throws NetnsError KATA_NETWORK; nothing is left then
   */
  static async create(pod: NetworkNamespace, options: NatOptions): Promise<NatNetwork> {
    const rules = parseEgress(options.egress);
    const closers: (() => void | Promise<void>)[] = [];
    try {
      const leases = new SubnetLeases(options.leases ?? LEASES_DIRECTORY);
      const { lease, mtu, flows } = await join(leases, options);
      closers.push(() => leave(leases, lease));
      const router = await Router.create({ subnet: lease.subnet, link: options.link, pod, mtu, rules, flows });
      closers.push(() => router[Symbol.asyncDispose]());
      const { path } = router.namespace;
      const log = inNetworkNamespace(path, () =>
        openPacketLog(LOG_GROUP, LOGGED_BYTES, (packet) => {
          const decision = decisionOf(packet);
          if (decision !== undefined) options.onDecision(decision);
        }),
      );
      log.unref();
      closers.push(() => void log.destroy());
      const relay = new DnsRelay({
        namespace: path,
        address: router.place.gateway,
        rules,
        answered: new AnsweredAddresses((script) => changeRules(path, script)),
        resolvConf: options.resolvConf ?? RESOLV_CONF,
        onDecision: options.onDecision,
      });
      closers.push(() => {
        relay.close();
      });
      const resolvConf = `${lease.path}.resolv.conf`;
      writeFileSync(resolvConf, `nameserver ${router.place.gateway}\n`, { mode: 0o644 });
      const network = new NatNetwork(router, resolvConf, closers);
      network.#ports.push(...(await publishAll(options.ports, (port) => network.#publish(port))));
      return network;
    } catch (error) {
      await closeAll(closers).catch(() => undefined);
      throw networkError(error);
    }
  }

  /** As they are: each has its port of the host. */
  get ports(): readonly PublishedPort[] {
    return this.#ports;
  }

  /** Connects to a TCP port of the guest. @throws NetnsError KATA_NETWORK, and the signal's reason */
  async connect(port: number, options?: ConnectOptions): Promise<Socket> {
    // The number of a descriptor that was closed may lead to another sandbox's router.
    if (this.#closers.length === 0) throw new NetnsError("KATA_NETWORK", "the network of the sandbox has ended");
    return await connectGuest(this.#guest, port, options);
  }

  async #publish(wanted: WantedPort): Promise<PublishedPort> {
    const { port, close } = await publishPort(this.#guest, wanted);
    this.#closers.push(close);
    return port;
  }

  /** What a network has to be created with for the guest to go on in it. */
  get link(): GuestLink {
    return { gateway: this.gateway, guest: this.address };
  }

  get #guest(): GuestPlace {
    return { namespace: this.#router.namespace.path, address: this.address };
  }

  /** Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await closeAll(this.#closers);
  }
}

/** Callers that can do without a network tell by it: what /proc, a lock or the kernel refuse is no other matter. */
function networkError(error: unknown): NetnsError {
  if (error instanceof NetnsError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new NetnsError("KATA_NETWORK", `the network nat cannot be made: ${reason}`, { cause: error });
}

async function join(
  leases: SubnetLeases,
  { warn, note = warn }: Pick<NatOptions, "warn" | "note">,
): Promise<{ lease: SubnetLease; mtu: number; flows: number }> {
  using _lock: FileLock = await leases.lock();
  await sweep(leases);
  const { used, mtu } = await hostRoutes();
  const lease = await leases.take(used);
  try {
    const flows = await addToHostTable(uplinkOf(lease.subnet));
    if (new ForwardingNotes(leases).enable()) {
      note("net.ipv4.ip_forward of the host was 0: it is 1 while sandboxes have the network nat");
    }
    for (const chain of await droppingChains()) {
      warn(`${chain}, drops what it forwards: a sandbox reaches what rules there accept for interfaces kts-*`);
    }
    return { lease, mtu, flows };
  } catch (error) {
    lease[Symbol.dispose]();
    await sweep(leases).catch(() => undefined);
    throw error;
  }
}

async function leave(leases: SubnetLeases, lease: SubnetLease): Promise<void> {
  using _lock = await leases.lock();
  lease[Symbol.dispose]();
  await sweep(leases);
}

/** In reverse order; a step that fails keeps no other. */
async function closeAll(closers: (() => void | Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers.splice(0).reverse()) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
