import { resolve } from "node:path";
import { connectAgent } from "@kata-ts/agent-protocol";
import {
  type Environment,
  ExternalShims,
  FileStore,
  HostCgroups,
  hostNamespaceNetwork,
  KataError,
  NamespaceNetwork,
  type Network,
  noNetwork,
  QemuHypervisor,
  type ShimEnvironment,
  Templates,
  VmCache,
} from "@kata-ts/virtcontainers";
import type { GlobalArguments } from "./arguments/globals.ts";
import type { CommandTable } from "./commands.ts";
import { withAnnotations } from "./config/annotations.ts";
import { type Configuration, configurationOf } from "./config/configuration.ts";
import { type GivenOptions, readOptions } from "./config/files.ts";
import { findConfiguration, type Installation } from "./config/installation.ts";
import type { Log } from "./output/log.ts";
import type { Timeline } from "./output/timeline.ts";

/** What a verb works with. */
export interface Context {
  /** Every verb there is. */
  readonly commands: CommandTable;
  readonly globals: GlobalArguments;
  readonly installation: Installation;
  readonly log: Log;
  /** When each step of this call was done. */
  readonly timeline: Timeline;
}

export interface RuntimeContext {
  readonly configuration: Configuration;
  /** What is wrong with the configuration, though not so much that it could not be used. */
  readonly configurationWarnings: readonly string[];
  readonly environment: ShimEnvironment;
  readonly hypervisor: QemuHypervisor;
  readonly cache: VmCache;
}

/**
 * The ports as an engine's runtime needs them: records in files, proxy and shims as processes of their own.
 *
 * @param annotations those of a sandbox that is to be made, which may change its configuration
 */
export function openRuntime(context: Context, annotations: Readonly<Record<string, string>> = {}): RuntimeContext {
  return open(readOptions(findConfiguration(context.globals.config, context.installation)), context, annotations);
}

/**
 * As openRuntime, to look at or end what is there already: a configuration that has become wrong keeps nobody from it. It is
 * warned of, and the defaults hold.
 */
export function openForExisting(context: Context): RuntimeContext {
  try {
    return openRuntime(context);
  } catch (error) {
    if (!(error instanceof KataError) || error.code !== "KATA_CONFIG") throw error;
    context.log.warning(`${error.message}; the defaults hold for this call`);
    return open({ options: {}, files: [], warnings: [] }, context, {});
  }
}

function open(
  given: GivenOptions,
  { globals, installation, log, timeline }: Context,
  annotations: Readonly<Record<string, string>>,
): RuntimeContext {
  const configuration = configurationOf(withAnnotations(given.options, annotations), installation);
  if (configuration.debug) log.enableDebug();
  const warn = (message: string): void => {
    log.warning(message);
  };
  const { factory, proxyPath } = configuration;
  const config = { ...configuration.qemu, ...followNetwork(configuration, globals, installation) };
  const cache = new VmCache({ config, directory: `${factory.path}.cache`, connectAgent, warn });
  const hypervisor = new QemuHypervisor({
    config,
    proxyPath,
    ...(factory.enabled ? { factory: { templates: new Templates(factory.path), connectAgent, warn } } : {}),
    ...(factory.cacheSize > 0 ? { cache } : {}),
  });
  const environment: Environment = {
    store: new FileStore(globals.root),
    hypervisor,
    connectAgent,
    network: networkOf(configuration, warn),
    cgroups: new HostCgroups(warn),
    warn,
    trace: (step, id) => {
      timeline.note(step);
      log.debug(`${id}: ${step}`);
    },
  };
  return {
    configuration,
    configurationWarnings: given.warnings,
    environment: { ...environment, shims: new ExternalShims({ path: configuration.shimPath }) },
    hypervisor,
    cache,
  };
}

function networkOf({ network, newNetworkNamespace, qemu }: Configuration, warn: (message: string) => void): Network {
  const { model, vhost, limits } = network;
  if (!newNetworkNamespace) return hostNamespaceNetwork;
  if (model === "none") return noNetwork;
  return new NamespaceNetwork({ model, vhost, limits, queues: qemu.vcpus, warn });
}

/** kata-proxy calls back when an engine has changed a container's network. */
function followNetwork(
  { network, newNetworkNamespace }: Configuration,
  { root, config }: GlobalArguments,
  { runtime }: Installation,
): { readonly onNetworkChange?: readonly string[] } {
  if (!network.follow || !newNetworkNamespace || network.model === "none") return {};
  const globals = ["--root", resolve(root), ...(config === undefined ? [] : ["--config", resolve(config)])];
  return { onNetworkChange: [runtime, ...globals, "kata-network", "sync"] };
}
