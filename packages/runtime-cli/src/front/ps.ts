import { escapeControls } from "@kata-ts/linux";
import { type ContainerRecord, FileStore, KataError, pidOf, statusOf } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Context, Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { formatTable } from "../output/table.ts";
import { FrontBundle } from "./bundle.ts";
import type { PortMapping } from "./network-note.ts";
import { portsIn } from "./network-place.ts";
import { portText, portTexts } from "./port-texts.ts";
import { ageOf } from "./quantities.ts";

export const manual: Manual = {
  operands: "",
  options: {
    all: { type: "boolean", short: "a", about: "with those that do not run: ended in the background, or being made" },
    quiet: { type: "boolean", short: "q", about: "names only" },
    format: { type: "string", short: "f", value: "FORMAT", about: "table or json" },
  },
  notes: ["A container that has ended in the background is there until kata rm, kata stop or kata prune."],
};

const HEADER = ["NAME", "PID", "STATUS", "CREATED", "IMAGE", "PORTS"];

interface Listed {
  readonly name: string;
  readonly pid: number;
  readonly status: string;
  readonly created: string;
  /** As it was named; null where it is a directory, or the container is an engine's. */
  readonly image: string | null;
  /** Of this machine, which lead to it. */
  readonly ports: readonly PortMapping[];
}

export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  if (words.length > 0) throw new UsageError(`"ps" takes no arguments: ${words.join(" ")}`);
  const format = options.text("format") ?? "table";
  if (format !== "table" && format !== "json") throw new UsageError(`--format takes table or json, not "${format}"`);
  const all = (await recordsOf(context)).map(listed);
  const shown = options.flag("all") ? all : all.filter(({ status }) => status === "running" || status === "paused");
  if (options.flag("quiet")) print(shown.map(({ name }) => `${name}\n`).join(""));
  else if (format === "json") print(`${JSON.stringify(shown.map(described))}\n`);
  else print(formatTable([HEADER, ...shown.map(row)]));
  return 0;
};

/** A record that was deleted meanwhile is left out; of a damaged one it is said. */
async function recordsOf({ globals, log }: Context): Promise<ContainerRecord[]> {
  const store = new FileStore(globals.root);
  const records: ContainerRecord[] = [];
  for (const id of await store.list()) {
    try {
      records.push(await store.read(id));
    } catch (error) {
      if (!(error instanceof KataError)) throw error;
      if (error.code !== "KATA_NOT_FOUND") log.warning(error.message);
    }
  }
  return records;
}

function listed(record: ContainerRecord): Listed {
  const { id, created } = record;
  const image = FrontBundle.imageOf(id)?.name ?? null;
  const ports = portsIn(FrontBundle.pathOf(id));
  return { name: id, pid: pidOf(record), status: statusOf(record), created, image, ports };
}

/** For programs: each port by itself, `0.0.0.0:8080->80/tcp`. */
function described(container: Listed): Omit<Listed, "ports"> & { readonly ports: readonly string[] } {
  return { ...container, ports: container.ports.map(portText) };
}

function row({ name, pid, status, created, image, ports }: Listed): string[] {
  return [
    name,
    String(pid),
    status,
    ageOf(new Date(created)),
    escapeControls(image ?? ""),
    portTexts(ports).join(", "),
  ];
}
