import { connectAgent } from "@kata-ts/agent-protocol";
import { buildTemplate, findTemplate, KataError, Templates } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../commands.ts";
import { openRuntime, type RuntimeContext } from "../context.ts";
import { Interruption } from "./interruption.ts";

export const manual: Manual = {
  operands: "init|status|destroy",
  options: {},
  notes: [
    "init boots a guest, warms it up and saves it: VMs of the same options are cloned from it from then on.",
    "A host that was booted, and a guest or QEMU that was replaced, need a template of their own.",
  ],
  examples: ["factory init", "factory status"],
};

const OPERATIONS: Readonly<Record<string, (runtime: RuntimeContext) => Promise<string>>> = { init, status, destroy };

/** Kata's `factory`, with its answers. */
export const verb: Verb = async (args, context) => {
  const [name = "", ...more] = parseAnywhere(args, manual.options).words;
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (operation === undefined || more.length > 0) throw new UsageError(`"factory" requires init, status or destroy`);
  process.stdout.write(`${await operation(openRuntime(context))}\n`);
  return 0;
};

async function init({ configuration }: RuntimeContext): Promise<string> {
  const { factory, qemu, bootDeadlineMs } = configuration;
  if (!factory.enabled) {
    throw new KataError("KATA_CONFIG", "vm factory is not enabled", {
      hint: "set enable_template = true in [factory] of configuration.toml",
    });
  }
  using interruption = new Interruption();
  await buildTemplate({
    config: qemu,
    templates: new Templates(factory.path),
    connectAgent,
    deadlineMs: bootDeadlineMs,
    signal: interruption.signal,
  });
  return "vm factory initialized";
}

async function status({ configuration: { factory, qemu } }: RuntimeContext): Promise<string> {
  if (!factory.enabled) return "vm factory is not enabled";
  const template = await findTemplate(qemu, new Templates(factory.path));
  return template === undefined ? "vm factory is off" : `vm factory is on: ${template.path}`;
}

async function destroy({ configuration: { factory } }: RuntimeContext): Promise<string> {
  await new Templates(factory.path).removeAll();
  return "vm factory destroyed";
}
