import { join } from "node:path";
import { type HostProgram, howToInstall, isProgram, SYSTEM_PATH } from "@kata-ts/linux";
import { NetnsError } from "@kata-ts/netns";
import { type Egress, parseEgress } from "@kata-ts/netns/nat";
import { type Options, type OptionTable, UsageError } from "../arguments/parse.ts";
import { cniDirectory } from "./cni.ts";
import type { PortMapping } from "./network-note.ts";
import { parsePorts } from "./ports.ts";

/** How a container of `kata run` is connected, as it is asked for. */
export const NETWORK_OPTIONS: OptionTable = {
  network: { type: "string", value: "KIND", about: "nat, by default; bridge, by CNI plugins; or none: its loopback" },
  publish: {
    type: "string",
    short: "p",
    multiple: true,
    value: "[HOSTPORT:]PORT",
    about: "a port or range of the host leads to it; without HOSTPORT any that is free: kata port",
  },
  egress: {
    type: "string",
    multiple: true,
    value: "RULE[,RULE]",
    about: "what it may call: all, none, or names, addresses and ranges, each with :PORT if only that",
  },
};

type NetworkKind = "nat" | "bridge" | "none";

export interface NetworkRequest {
  readonly kind: NetworkKind;
  /** It is not asked for by name: where this host cannot make it, the container has its loopback only. */
  readonly isDefault: boolean;
  readonly ports: readonly PortMapping[];
  readonly egress: Egress;
}

/** @throws UsageError; NetnsError KATA_NETWORK for what no rule can be, and where this machine has no programs for what is asked for */
export function parseNetwork(options: Options): NetworkRequest {
  const wanted = options.text("network");
  const [ports, rules] = [parsePorts(options.list("publish")), options.list("egress")];
  const kind = kindOf(wanted);
  const egress = egressOf(rules);
  if (kind === "none" && ports.length > 0) throw new UsageError("--publish needs a network: --network none has none");
  if (kind !== "nat" && rules.length > 0) throw new UsageError(`--egress needs --network nat, not ${kind}`);
  if (kind === "bridge" && ports.some(({ hostPort }) => hostPort === 0)) {
    throw new UsageError(
      "--publish with --network bridge needs a port of the host for each of the container: HOSTPORT:PORT",
    );
  }
  const isDefault = wanted === undefined && ports.length === 0 && rules.length === 0;
  if (!isDefault) requirePrograms(kind);
  return { kind, isDefault, ports, egress };
}

function kindOf(wanted: string | undefined): NetworkKind {
  const kind = wanted ?? "nat";
  if (kind === "nat" || kind === "bridge" || kind === "none") return kind;
  throw new UsageError(`--network takes nat, bridge or none, not "${kind}"`);
}

/** @throws UsageError, NetnsError KATA_NETWORK */
function egressOf(rules: readonly string[]): Egress {
  const entries = rules.flatMap((rule) => rule.split(",")).map((entry) => entry.trim());
  const [first] = entries;
  if (first === undefined) return "all";
  const whole = entries.find((entry) => entry === "all" || entry === "none");
  if (whole !== undefined && entries.length > 1) throw new UsageError(`--egress ${whole} goes with no other rule`);
  const egress = whole === "all" || whole === "none" ? whole : { allow: entries };
  parseEgress(egress);
  return egress;
}

/** @throws NetnsError KATA_NETWORK */
function requirePrograms(kind: NetworkKind): void {
  if (kind === "bridge" && cniDirectory() === undefined) {
    throw missing("the network bridge is made by the CNI plugins, and there are none", "cni");
  }
  if (kind !== "nat") return;
  if (!isInstalled("nft")) throw missing("the network nat needs nft, and there is none", "nftables");
  if (!isInstalled("ip")) throw missing("the network nat needs ip, and there is none", "iproute2");
}

function missing(message: string, program: HostProgram): NetnsError {
  return new NetnsError("KATA_NETWORK", message, { hint: `${howToInstall(program)}, or use --network none` });
}

function isInstalled(program: string): boolean {
  return SYSTEM_PATH.split(":").some((directory) => isProgram(join(directory, program)));
}
