import { connectAgent } from "@kata-ts/agent-protocol";
import {
  type Environment,
  ExternalShims,
  FileStore,
  noNetwork,
  QemuHypervisor,
  type ShimEnvironment,
} from "@kata-ts/virtcontainers";
import type { GlobalArguments } from "./arguments/globals.ts";
import { type Configuration, loadConfiguration } from "./config/configuration.ts";
import { findConfiguration, type Installation } from "./config/installation.ts";
import type { Log } from "./output/log.ts";

/** What a verb works with. */
export interface Context {
  readonly globals: GlobalArguments;
  readonly installation: Installation;
  readonly log: Log;
}

export interface RuntimeContext {
  readonly configuration: Configuration;
  readonly environment: ShimEnvironment;
}

/** The ports as an engine's runtime needs them: records in files, proxy and shims as processes of their own. */
export function openRuntime({ globals, installation, log }: Context): RuntimeContext {
  const file = findConfiguration(globals.config, installation);
  const configuration = loadConfiguration(file, installation);
  const environment: Environment = {
    store: new FileStore(globals.root),
    hypervisor: new QemuHypervisor({ config: configuration.qemu, proxyPath: configuration.proxyPath }),
    connectAgent,
    network: noNetwork,
    warn: (message) => {
      log.warning(message);
    },
  };
  return { configuration, environment: { ...environment, shims: new ExternalShims({ path: configuration.shimPath }) } };
}
