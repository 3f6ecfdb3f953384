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
import { type Configuration, configurationOf } from "./config/configuration.ts";
import { readOptions } from "./config/files.ts";
import type { GivenOptions } from "./config/given.ts";
import { findConfiguration, type Installation } from "./config/installation.ts";
import { keepOptions, keptFor } from "./config/kept.ts";
import type { Options } from "./config/options.ts";
import type { Context } from "./context.ts";
import { observe } from "./observe.ts";

export interface RuntimeContext {
  readonly configuration: Configuration;
  /** What is wrong with the configuration, though not so much that it could not be used. */
  readonly configurationWarnings: readonly string[];
  readonly environment: ShimEnvironment;
  readonly hypervisor: QemuHypervisor;
  readonly cache: VmCache;
  /** Spares later calls about a container that there is now to check the configuration. */
  keepConfiguration(id: string): void;
}

/** What a runtime is opened for. */
export interface Purpose {
  /** A container that there is. */
  readonly id?: string | undefined;
  /** Those of a sandbox that is to be made, which may change its configuration. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The ports as an engine's runtime needs them: records in files, proxy and shims as processes of their own. */
export async function openRuntime(context: Context, { id, annotations }: Purpose = {}): Promise<RuntimeContext> {
  const { globals, installation } = context;
  if (id !== undefined) context.log.about({ container: id });
  const kept = id === undefined ? undefined : keptFor(globals.root, id);
  const given = await readOptions(findConfiguration(globals.config, installation), kept);
  const options = await changed(given.options, annotations);
  await observe(options, context);
  const opened = open(given, options, context);
  if (annotations !== undefined) await checkHashes(opened.configuration, annotations);
  return opened;
}

/**
 * As openRuntime, to look at or end what is there already: a configuration that has become wrong keeps nobody from it. It is
 * warned of, and the defaults hold.
 */
export async function openForExisting(context: Context, id?: string): Promise<RuntimeContext> {
  try {
    return await openRuntime(context, { id });
  } catch (error) {
    if (!(error instanceof KataError) || error.code !== "KATA_CONFIG") throw error;
    context.log.warning(`${error.message}; the defaults hold for this call`);
    return open({ options: {}, files: [], warnings: [] }, {}, context);
  }
}

/** Most sandboxes change nothing. */
async function changed(options: Options, annotations: Readonly<Record<string, string>> = {}): Promise<Options> {
  if (Object.keys(annotations).length === 0) return options;
  const { withAnnotations } = await import("./config/annotations.ts");
  return withAnnotations(options, annotations);
}

/** Few sandboxes name any. */
async function checkHashes({ qemu }: Configuration, annotations: Readonly<Record<string, string>>): Promise<void> {
  if (!Object.keys(annotations).some((name) => name.startsWith("io.katacontainers."))) return;
  const { checkAssetHashes } = await import("./config/asset-hashes.ts");
  await checkAssetHashes(qemu, annotations);
}

function open(given: GivenOptions, options: Options, context: Context): RuntimeContext {
  const { globals, installation, log, timeline } = context;
  const configuration = configurationOf(options, installation);
  if (configuration.debug) log.enableDebug();
  const warn = (message: string): void => {
    log.warning(message);
  };
  const { factory, proxyPath } = configuration;
  const connect = context.tracing?.traced(connectAgent) ?? connectAgent;
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
    connectAgent: connect,
    network: networkOf(configuration, warn),
    cgroups: new HostCgroups(warn, { systemd: globals.systemdCgroup }),
    warn,
    trace: (step, id) => {
      timeline.note(step);
      context.tracing?.step(step);
      log.debug(`${id}: ${step}`);
    },
  };
  return {
    configuration,
    configurationWarnings: given.warnings,
    environment: { ...environment, shims: new ExternalShims({ path: configuration.shimPath }) },
    hypervisor,
    cache,
    keepConfiguration: (id) => {
      keepOptions(keptFor(globals.root, id), given);
    },
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
