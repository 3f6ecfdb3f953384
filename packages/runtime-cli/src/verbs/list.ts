import { type ContainerRecord, FileStore, KataError } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../commands.ts";
import { print } from "../output/print.ts";
import { type StateView, stateView } from "../output/state.ts";
import { formatTable } from "../output/table.ts";

const HEADER = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"];

export const manual: Manual = {
  operands: "",
  options: {
    format: { type: "string", short: "f", value: "FORMAT", about: "table or json" },
    quiet: { type: "boolean", short: "q", about: "ids only" },
  },
};

export const verb: Verb = async (args, { globals, log }) => {
  const { options } = parseAnywhere(args, manual.options);
  const format = options.text("format") ?? "table";
  if (format !== "table" && format !== "json") throw new UsageError("invalid format option");
  const store = new FileStore(globals.root);
  const views: StateView[] = [];
  for (const id of await store.list()) {
    const record = await store.read(id).catch((error: unknown) => skipUnreadable(error, log));
    if (record !== undefined) views.push(stateView(record));
  }
  if (options.flag("quiet")) print(views.map(({ id }) => `${id}\n`).join(""));
  else if (format === "json") print(`${JSON.stringify(views.length === 0 ? null : views)}\n`);
  else print(formatTable([HEADER, ...views.map(row)]));
  return 0;
};

function row(view: StateView): string[] {
  return [view.id, String(view.pid), view.status, view.bundle, view.created, view.owner];
}

/** One that was deleted meanwhile is not there; one that cannot be read is told, and the others are still listed. */
function skipUnreadable(error: unknown, log: { warning(message: string): void }): ContainerRecord | undefined {
  if (!(error instanceof KataError)) throw error;
  if (error.code !== "KATA_NOT_FOUND") log.warning(error.message);
  return undefined;
}
