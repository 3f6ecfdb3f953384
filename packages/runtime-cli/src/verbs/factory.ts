import { connectAgent } from "@kata-ts/agent-protocol";
import type { Configuration } from "@kata-ts/runtime";
import { machineOptions, makeCache, makeHypervisor, makeTemplates, openRuntime } from "@kata-ts/runtime";
import {
  buildTemplate,
  type Cgroups,
  failedAt,
  findTemplate,
  KataError,
  prepareVm,
  reasonOf,
  type Templates,
  type VmCache,
  type Vmm,
  type VmmHypervisor,
} from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { Interruption } from "./interruption.ts";

export const manual: Manual = {
  operands: "init|status|destroy|refill",
  options: {},
  notes: [
    "init boots a guest, warms it up and saves it: VMs of the same options are cloned from it from then on.",
    "With vm_cache_number it also makes so many VMs that wait; refill, which create starts, makes those that are missing.",
    "A host that was booted, and a guest or QEMU that was replaced, need a template of their own.",
  ],
  examples: ["factory init", "factory status"],
};

/** What an operation works with. */
interface Factory {
  readonly vmm: Vmm;
  readonly hypervisor: VmmHypervisor;
  readonly cache: VmCache;
  readonly templates: Templates;
  readonly configuration: Configuration;
  readonly cgroups: Cgroups;
}

const OPERATIONS: Readonly<Record<string, (runtime: Factory) => Promise<string>>> = {
  init,
  status,
  destroy,
  refill,
};

/** Kata's `factory`, with its answers. */
export const verb: Verb = async (args, context) => {
  const [name = "", ...more] = parseAnywhere(args, manual.options).words;
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (operation === undefined || more.length > 0) {
    throw new UsageError(`"factory" requires init, status, destroy or refill`);
  }
  const runtime = await openRuntime(context);
  const configuration = await runtime.configuration();
  const { cgroups } = await runtime.ports("cgroups");
  const options = await machineOptions(runtime);
  const machines = {
    vmm: options.vmm,
    hypervisor: await makeHypervisor(runtime),
    cache: makeCache(options),
    templates: makeTemplates(options),
  };
  print(`${await operation({ configuration, cgroups, ...machines })}\n`);
  return 0;
};

async function init(runtime: Factory): Promise<string> {
  const { factory, bootDeadlineMs } = runtime.configuration;
  if (!factory.enabled && factory.cacheSize === 0) {
    throw new KataError("KATA_CONFIG", "vm factory is not enabled", {
      hint: "set enable_template = true, or vm_cache_number, in [factory] of configuration.toml",
    });
  }
  using interruption = new Interruption();
  const { signal } = interruption;
  if (factory.enabled) {
    const { vmm, templates } = runtime;
    await buildTemplate({ vmm, templates, connectAgent, deadlineMs: bootDeadlineMs, signal });
  }
  if (factory.cacheSize > 0) {
    await runtime.cache.open();
    await fill(runtime, signal);
  }
  return "vm factory initialized";
}

async function status({ configuration: { factory }, vmm, cache, templates }: Factory): Promise<string> {
  const lines: string[] = [];
  if (factory.enabled) {
    const template = await findTemplate(vmm, templates);
    lines.push(template === undefined ? "vm factory is off" : `vm factory is on: ${template.path}`);
  }
  if (factory.cacheSize > 0)
    lines.push(`vm cache: ${String(await cache.ready())} of ${String(factory.cacheSize)} wait`);
  const failure = factory.cacheSize > 0 ? await cache.lastFailure() : undefined;
  if (failure !== undefined) lines.push(`vm cache: the last refill, ${failedAt(failure)}`);
  return lines.join("\n") || "vm factory is not enabled";
}

async function destroy({ cache, templates }: Factory): Promise<string> {
  await cache.close();
  await templates.removeAll();
  return "vm factory destroyed";
}

async function refill(runtime: Factory): Promise<string> {
  using interruption = new Interruption();
  try {
    await fill(runtime, interruption.signal);
  } catch (error) {
    if (interruption.signal.aborted) throw error;
    // A create has started it in the background: the log is where it is read, among the lines of many calls.
    const { code, hint } = error instanceof KataError ? error : new KataError("KATA_BOOT", "");
    throw new KataError(code, `the VM cache could not be refilled: ${reasonOf(error)}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return await status(runtime);
}

async function fill(runtime: Factory, signal: AbortSignal): Promise<void> {
  const { configuration, hypervisor, cgroups } = runtime;
  const preparation = {
    hypervisor,
    connectAgent,
    cgroups,
    signal,
    bootDeadlineMs: configuration.bootDeadlineMs,
  };
  await runtime.cache.fill(configuration.factory.cacheSize, async (note) => {
    await prepareVm(note, preparation);
  });
}
