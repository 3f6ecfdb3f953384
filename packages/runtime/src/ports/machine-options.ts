import { resolve } from "node:path";
import { type QemuConfig, QemuVmm, type Vmm } from "@kata-ts/virtcontainers";
import type { Configuration, FactoryConfiguration } from "../config/configuration.ts";
import type { Composition, RuntimeContext } from "../context.ts";

/** How VMs are made, and from what. */
export interface MachineOptions {
  readonly vmm: Vmm;
  readonly factory: FactoryConfiguration;
  readonly proxyPath: string;
  readonly warn: (message: string) => void;
}

export async function machineOptions({ context, configuration: read, warn }: Composition): Promise<MachineOptions> {
  const configuration = await read();
  const { factory, proxyPath } = configuration;
  const vmm = new QemuVmm({ ...configuration.qemu, ...followNetwork(configuration, context) });
  return { vmm, factory, proxyPath, warn };
}

/** kata-proxy calls back when an engine has changed a container's network. */
function followNetwork(
  { network, newNetworkNamespace }: Configuration,
  { root, config, installation: { runtime } }: RuntimeContext,
): Pick<QemuConfig, "onNetworkChange"> {
  if (!network.follow || !newNetworkNamespace || network.model === "none") return {};
  const globals = ["--root", resolve(root), ...(config === undefined ? [] : ["--config", resolve(config)])];
  return { onNetworkChange: [runtime, ...globals, "kata-network", "sync"] };
}
