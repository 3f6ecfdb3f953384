import * as z from "zod/mini";
import { option } from "./option.ts";
import { type ChannelOptions, channelOptions } from "./sections/channel.ts";
import {
  type AgentOptions,
  agentOptions,
  type ComponentOptions,
  type FactoryOptions,
  factoryOptions,
  type NetmonOptions,
  netmonOptions,
  proxyOptions,
  type ShimOptions,
  shimOptions,
} from "./sections/components.ts";
import { type MachineOptions, machineOptions } from "./sections/machine.ts";
import { type MemoryOptions, memoryOptions } from "./sections/memory.ts";
import { type NetworkOptions, networkOptions } from "./sections/network.ts";
import { type RuntimeOptions, runtimeOptions } from "./sections/runtime.ts";
import { type StorageOptions, storageOptions } from "./sections/storage.ts";
import {
  agentWithoutEffect,
  factoryWithoutEffect,
  hypervisorWithoutEffect,
  netmonWithoutEffect,
  runtimeWithoutEffect,
} from "./sections/without-effect.ts";

/** What configuration.toml may say; what it does not is absent. */
export interface Options {
  readonly hypervisor?: { readonly qemu?: HypervisorOptions | undefined } | undefined;
  readonly proxy?: { readonly kata?: ComponentOptions | undefined } | undefined;
  readonly shim?: { readonly kata?: ShimOptions | undefined } | undefined;
  readonly agent?: { readonly kata?: AgentOptions | undefined } | undefined;
  readonly runtime?: RuntimeOptions | undefined;
  readonly netmon?: NetmonOptions | undefined;
  readonly factory?: FactoryOptions | undefined;
}

/** Explained by its schema, option by option. */
export interface HypervisorOptions
  extends MachineOptions,
    MemoryOptions,
    StorageOptions,
    NetworkOptions,
    ChannelOptions {
  readonly enable_annotations?: readonly string[] | undefined;
}

type Shape = Readonly<Record<string, z.ZodMiniType>>;

/** Kata's sections and option names; docs/configuration.md is generated from what is said here. */
const hypervisor = z.object({
  ...machineOptions,
  ...memoryOptions,
  ...storageOptions,
  ...networkOptions,
  ...channelOptions,
  enable_annotations: option(z.array(z.string().check(z.refine(isPattern, "not a regular expression"))), {
    about:
      "patterns, found anywhere in a name, of options of this section and of `[runtime]` that a sandbox may set by annotation",
    initial: [],
    hostOnly: true,
  }),
  ...(hypervisorWithoutEffect as object),
});
const proxy = z.object(proxyOptions);
const shim = z.object(shimOptions);
const agent = z.object({ ...agentOptions, ...(agentWithoutEffect as object) });
const runtime = z.object({ ...runtimeOptions, ...(runtimeWithoutEffect as object) });
const netmon = z.object({ ...netmonOptions, ...(netmonWithoutEffect as object) });
const factory = z.object({ ...factoryOptions, ...(factoryWithoutEffect as object) });

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

/** The options of each section, in the order in which they are documented, by its header in the file. */
export const SECTIONS: Readonly<Record<string, Shape>> = {
  "hypervisor.qemu": hypervisor.shape,
  "proxy.kata": proxy.shape,
  "shim.kata": shim.shape,
  "agent.kata": agent.shape,
  runtime: runtime.shape,
  netmon: netmon.shape,
  factory: factory.shape,
};

/** Takes what it knows out of a file's tables, checked. */
export const optionsSchema: z.ZodMiniType<Options> = z.object({
  hypervisor: z.optional(z.object({ qemu: z.optional(hypervisor) })),
  proxy: z.optional(z.object({ kata: z.optional(proxy) })),
  shim: z.optional(z.object({ kata: z.optional(shim) })),
  agent: z.optional(z.object({ kata: z.optional(agent) })),
  runtime: z.optional(runtime),
  netmon: z.optional(netmon),
  factory: z.optional(factory),
});
