import * as z from "zod/mini";
import { DEFAULT_TEMPLATE_PATH } from "../installation.ts";
import { option, type ShapeOf } from "../option.ts";

/** kata-proxy and kata-shim. */
export interface ComponentOptions {
  readonly path?: string | undefined;
  readonly enable_debug?: boolean | undefined;
}

export interface ShimOptions extends ComponentOptions {
  readonly enable_tracing?: boolean | undefined;
}

export interface AgentOptions {
  readonly enable_tracing?: boolean | undefined;
  readonly trace_type?: "isolated" | "collated" | "" | undefined;
  readonly enable_debug?: boolean | undefined;
  readonly kernel_modules?: readonly string[] | undefined;
}

export interface NetmonOptions {
  readonly enable_netmon?: boolean | undefined;
  readonly enable_debug?: boolean | undefined;
}

export interface FactoryOptions {
  readonly enable_template?: boolean | undefined;
  readonly template_path?: string | undefined;
  readonly vm_cache_number?: number | undefined;
}

const debug = (): z.ZodMiniOptional<z.ZodMiniType<boolean>> =>
  option(z.boolean(), { about: "turns on `enable_debug` of `[runtime]`", initial: false });

export const proxyOptions: ShapeOf<ComponentOptions> = {
  path: option(z.string(), { about: "the program", initial: "<installed>", hostOnly: true }),
  enable_debug: debug(),
};

export const shimOptions: ShapeOf<ShimOptions> = {
  enable_tracing: option(z.boolean(), { about: "turns on `enable_tracing` of `[runtime]`", initial: false }),
  path: option(z.string(), { about: "the program", initial: "<installed>", hostOnly: true }),
  enable_debug: debug(),
};

export const agentOptions: ShapeOf<AgentOptions> = {
  enable_debug: option(z.boolean(), {
    about: "the agent logs each call, for `kata-runtime logs`; turns on `enable_debug` of `[runtime]`",
    initial: false,
  }),
  enable_tracing: option(z.boolean(), {
    about: "each request to the agent is a span, too; turns on `enable_tracing` of `[runtime]`",
    initial: false,
  }),
  trace_type: option(z.enum(["isolated", "collated", ""]), {
    about: "`isolated`: each request in a trace of its own; `collated`: in the trace of the call that makes it",
    initial: "isolated",
  }),
  kernel_modules: option(z.array(z.string()), {
    about:
      "modules of the guest's image, loaded before the first container, each with its parameters: `e1000e EEE=1`. The tuned kernel has none",
    initial: [],
  }),
};

export const netmonOptions: ShapeOf<NetmonOptions> = {
  enable_netmon: option(z.boolean(), { about: "follow changes in a container's network namespace", initial: true }),
  enable_debug: debug(),
};

export const factoryOptions: ShapeOf<FactoryOptions> = {
  enable_template: option(z.boolean(), {
    about: "clone VMs from the template that `kata-runtime factory init` makes; without one they are booted",
    initial: false,
  }),
  template_path: option(z.string(), {
    about: "where templates are; each takes what a booted guest has in use, about 85 MiB",
    initial: DEFAULT_TEMPLATE_PATH,
    hostOnly: true,
  }),
  vm_cache_number: option(z.int().check(z.minimum(0), z.maximum(100)), {
    about: "how many VMs wait, ready to be used, from `kata-runtime factory init` on; each holds its memory meanwhile",
    initial: 0,
  }),
};
