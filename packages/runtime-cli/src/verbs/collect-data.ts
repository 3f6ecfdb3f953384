import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { escapeControls } from "@kata-ts/linux";
import { findConfiguration, openForExisting, readOptions } from "@kata-ts/runtime";
import { collectGarbage, inspectHost, reasonOf, vmLogs } from "@kata-ts/virtcontainers";
import { statusOf } from "@kata-ts/virtcontainers/records";
import { stringify } from "smol-toml";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Context, Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { redact } from "../output/redact.ts";
import { describeEnvironment } from "./env.ts";

export const manual: Manual = {
  operands: "",
  options: {},
  notes: [
    "In Markdown, for a report of a fault. It holds no environment, arguments or output of containers, nothing",
    "that programs in a guest wrote to its console, and no values of what is named as a secret.",
  ],
  examples: ["collect-data > report.md"],
};

/** Of each VM's log. */
const LINES = 40;
/** What programs in a guest say is theirs. */
const OTHERS = "guest";

/** A part of the report: it is there, or why it is not. */
type Section = readonly [heading: string, text: () => Promise<string>];

export const verb: Verb = async (args, context) => {
  const { words } = parseAnywhere(args, manual.options);
  if (words.length > 0) throw new UsageError(`"collect-data" takes no arguments: ${words.join(" ")}`);
  print("# kata-ts: report of a fault\n");
  for (const [heading, text] of sections(context)) {
    const body = await text().catch((error: unknown) => `could not be had: ${reasonOf(error)}`);
    print(`\n## ${heading}\n\n\`\`\`\n${escapeControls(redact(body)).replaceAll("```", "'''").trimEnd()}\n\`\`\`\n`);
  }
  return 0;
};

function sections(context: Context): Section[] {
  return [
    ["Environment", async () => stringify(await describeEnvironment(context))],
    ["Configuration", () => configurationFiles(context)],
    ["What a container needs", () => prerequisites(context)],
    ["Host", async () => (await promisify(execFile)("uname", ["-srvm"])).stdout],
    ["Containers", () => containers(context)],
    ["What is left over", () => garbage(context)],
    ["Logs of virtual machines", () => logs(context)],
  ];
}

async function configurationFiles({ globals, installation }: Context): Promise<string> {
  const { files, warnings } = await readOptions(findConfiguration(globals.config, installation));
  return [...files.map(({ path, text }) => `# ${path}\n${withoutComments(text)}`), ...warnings].join("\n\n");
}

function withoutComments(text: string): string {
  return text
    .split("\n")
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join("\n");
}

async function prerequisites(context: Context): Promise<string> {
  const configuration = await (await openForExisting(context)).configuration();
  const { prerequisites: found, accelerator } = await inspectHost(configuration.qemu);
  const lines = found.map(
    ({ name, found: what, problem }) => `${name}: ${what}${problem === undefined ? "" : `: ${problem}`}`,
  );
  return [...lines, `accelerator: ${accelerator?.accelerator ?? "unknown"}: ${accelerator?.reason ?? ""}`].join("\n");
}

async function containers(context: Context): Promise<string> {
  const { store } = await (await openForExisting(context)).ports("store");
  const lines = (await store.list()).map(async (id) => {
    const record = await store.read(id).catch(reasonOf);
    if (typeof record === "string") return `${id}: ${record}`;
    return `${id}: ${statusOf(record)}, sandbox ${record.sandboxId}, made ${record.created}, ${record.vm?.accelerator ?? "no VM"}`;
  });
  return (await Promise.all(lines)).join("\n");
}

async function garbage(context: Context): Promise<string> {
  const runtime = await openForExisting(context);
  const ports = await runtime.ports("store", "hypervisor", "network", "cgroups", "connectAgent");
  const found = await collectGarbage(ports, { dryRun: true });
  return found.map(({ kind, name, why }) => `${kind} ${name}: ${why}`).join("\n");
}

async function logs(context: Context): Promise<string> {
  const { store } = await (await openForExisting(context)).ports("store");
  const parts = (await store.list()).map(async (id) => {
    const vm = (await store.read(id).catch(() => undefined))?.vm;
    if (vm === undefined) return `${id}: no VM`;
    const lines = (await vmLogs(vm)).filter(({ source }) => source !== OTHERS).slice(-LINES);
    return [`${id}:`, ...lines.map(({ source, text }) => `${source.padEnd("runtime".length)} ${text}`)].join("\n");
  });
  return (await Promise.all(parts)).join("\n\n");
}
