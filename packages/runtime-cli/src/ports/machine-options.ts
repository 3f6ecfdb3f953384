import { resolve } from "node:path";
import type { QemuConfig } from "@kata-ts/virtcontainers";
import type { Configuration, FactoryConfiguration } from "../config/configuration.ts";
import type { Context } from "../context.ts";
import type { Composition } from "./composition.ts";

/** How VMs are made, and from what. */
export interface MachineOptions {
  readonly config: QemuConfig;
  readonly factory: FactoryConfiguration;
  readonly proxyPath: string;
  readonly warn: (message: string) => void;
}

export async function machineOptions({ context, configuration: read, warn }: Composition): Promise<MachineOptions> {
  const configuration = await read();
  const { factory, proxyPath } = configuration;
  return { config: { ...configuration.qemu, ...followNetwork(configuration, context) }, factory, proxyPath, warn };
}

/** kata-proxy calls back when an engine has changed a container's network. */
function followNetwork(
  { network, newNetworkNamespace }: Configuration,
  { globals: { root, config }, installation: { runtime } }: Context,
): Pick<QemuConfig, "onNetworkChange"> {
  if (!network.follow || !newNetworkNamespace || network.model === "none") return {};
  const globals = ["--root", resolve(root), ...(config === undefined ? [] : ["--config", resolve(config)])];
  return { onNetworkChange: [runtime, ...globals, "kata-network", "sync"] };
}
