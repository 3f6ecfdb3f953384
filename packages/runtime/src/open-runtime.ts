import { KataError } from "@kata-ts/virtcontainers/records";
import { cachedOptionsPath, cacheOptions } from "./config/cached-options.ts";
import type { Configuration } from "./config/configuration.ts";
import { isDebug } from "./config/debug.ts";
import { readOptions } from "./config/files.ts";
import { findConfiguration } from "./config/installation.ts";
import type { LoadedOptions } from "./config/loaded-options.ts";
import type { Options } from "./config/options.ts";
import type { Composition, PortName, RuntimeContext } from "./context.ts";
import { observe } from "./observe/observe.ts";
import { compose, type RuntimePorts } from "./ports/compose.ts";

/** A runtime for one call: what is configured, and the ports that operations work through. */
export interface Runtime extends Composition {
  /** What is wrong with the configuration, though not so much that it could not be used. */
  readonly configurationWarnings: readonly string[];
  /** Makes these ports; the code of the others is not even loaded. */
  ports<N extends PortName>(...names: readonly N[]): Promise<RuntimePorts<N>>;
  /** Later calls about a container that there is now go by what its sandbox's annotations have made of the configuration, and need not check it. */
  keepConfiguration(id: string): void;
}

/** What a runtime is opened for. */
interface Purpose {
  /** A container that there is. */
  readonly id?: string | undefined;
  /** The sandbox that there is, which a container joins: its configuration is that of its VM. */
  readonly sandboxId?: string | undefined;
  /** Those of a sandbox that is to be made, which may change its configuration. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What a call is configured with. */
interface Read {
  readonly given: LoadedOptions;
  /** With what a sandbox's annotations change. */
  readonly options: Options;
}

/** @throws KataError KATA_CONFIG; for options that are wrong only together when their configuration is asked for */
export async function openRuntime(context: RuntimeContext, purpose: Purpose = {}): Promise<Runtime> {
  const read = await readFor(purpose, context);
  const opened = open(read, context, () => configurationFor(read.options, context));
  if (purpose.annotations !== undefined) await checkHashes(await opened.configuration(), purpose.annotations);
  return opened;
}

/**
 * As openRuntime, to look at or end what is there already: a configuration that has become wrong does not prevent that. It is
 * warned of, and the defaults hold.
 */
export async function openForExisting(context: RuntimeContext, id?: string): Promise<Runtime> {
  const defaultsHold = (error: unknown): Options => {
    if (!(error instanceof KataError) || error.code !== "KATA_CONFIG") throw error;
    context.log.warning(`${error.message}; the defaults hold for this call`);
    return {};
  };
  const read = await readFor({ id }, context).catch((error: unknown) => ({
    given: { options: defaultsHold(error), files: [], warnings: [] },
    options: {},
  }));
  return open(read, context, () =>
    configurationFor(read.options, context).catch((error: unknown) => configurationFor(defaultsHold(error), context)),
  );
}

async function readFor({ id, sandboxId = id, annotations }: Purpose, context: RuntimeContext): Promise<Read> {
  const { root, config, installation, log } = context;
  if (id !== undefined) log.about({ container: id });
  const cache = sandboxId === undefined ? undefined : cachedOptionsPath(root, sandboxId);
  const given = await readOptions(findConfiguration(config, installation), cache);
  const options = await changed(given.options, annotations);
  await observe(options, context);
  if (isDebug(options)) log.enableDebug();
  return { given, options };
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

/** A call that signals a process, or looks at a record, needs none. */
async function configurationFor(options: Options, { installation }: RuntimeContext): Promise<Configuration> {
  const { configurationOf } = await import("./config/configuration.ts");
  return configurationOf(options, installation);
}

function open({ given, options }: Read, context: RuntimeContext, read: () => Promise<Configuration>): Runtime {
  let known: Promise<Configuration> | undefined;
  const composition: Composition = {
    context,
    configuration: () => (known ??= read()),
    warn: (message) => {
      context.log.warning(message);
    },
  };
  return {
    ...composition,
    configurationWarnings: given.warnings,
    ports: (...names) => compose(composition, names),
    keepConfiguration: (id) => {
      cacheOptions(cachedOptionsPath(context.root, id), { ...given, options });
    },
  };
}
