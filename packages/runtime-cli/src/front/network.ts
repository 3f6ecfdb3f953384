import { NetnsError } from "@kata-ts/netns";
import { makeBridge } from "./bridge-network.ts";
import { giveBack } from "./give-back.ts";
import { makeNat, type NatPlace } from "./nat-network.ts";
import type { NetworkRequest } from "./network-request.ts";
import { reachableResolvers, withResolver } from "./resolv-conf.ts";

/** What a container has of its network. */
export interface ContainerNetwork extends AsyncDisposable {
  /** A path to its network namespace; undefined: it has its loopback only. */
  readonly namespace: string | undefined;
  /** The content of its /etc/resolv.conf; undefined: that of its image. */
  readonly resolvConf: string | undefined;
  /** Kernel parameters of its network. */
  readonly sysctl: Readonly<Record<string, string>>;
  /** Its own, where it is known. */
  readonly address: string | undefined;
  /** From now on it does not end with this process. */
  release(): void;
}

export interface NetworkOptions extends Omit<NatPlace, "ports" | "egress"> {
  readonly warn: (message: string) => void;
}

/** As Docker has it: every user may ping, and listen at every port. */
const SYSCTL = { "net.ipv4.ping_group_range": "0 2147483647", "net.ipv4.ip_unprivileged_port_start": "0" };

const NONE: ContainerNetwork = {
  namespace: undefined,
  resolvConf: undefined,
  address: undefined,
  sysctl: {},
  release: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/**
 * Connects a container as it is asked for. Where nothing is asked for, and this host cannot make the network nat, the container has its
 * loopback only, and the caller is warned.
 *
 * @throws NetnsError KATA_NETWORK; nothing is left then
 */
export async function makeNetwork(request: NetworkRequest, options: NetworkOptions): Promise<ContainerNetwork> {
  const { kind, isDefault, ports, egress } = request;
  if (kind === "none") return NONE;
  if (kind === "bridge") {
    const namespace = await makeBridge({ ...options, ports });
    return { ...NONE, namespace, sysctl: SYSCTL, resolvConf: reachableResolvers() };
  }
  try {
    const { gateway, warnings, ...network } = await makeNat({ ...options, ports, egress });
    for (const message of warnings) options.warn(message);
    const dispose = (): Promise<void> => giveBack("its network", () => network[Symbol.asyncDispose](), options.warn);
    return { ...network, sysctl: SYSCTL, resolvConf: withResolver(gateway), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    if (!isDefault || !(error instanceof NetnsError) || error.code !== "KATA_NETWORK") throw error;
    const hint = error.hint === undefined ? "" : ` (${error.hint})`;
    options.warn(`it has its loopback and no other network: ${error.message}${hint}; --network none says so itself`);
    return NONE;
  }
}
