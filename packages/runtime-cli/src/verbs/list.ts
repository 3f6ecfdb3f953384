import { type ContainerRecord, FileStore, KataError } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import type { AssetsView } from "../output/assets.ts";
import { print } from "../output/print.ts";
import { type StateView, stateView } from "../output/state.ts";
import { formatTable } from "../output/table.ts";

const HEADER = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"];

export const manual: Manual = {
  operands: "",
  options: {
    format: { type: "string", short: "f", value: "FORMAT", about: "table or json" },
    quiet: { type: "boolean", short: "q", about: "ids only" },
    "kata-all": {
      type: "boolean",
      about: "with the files that its virtual machine is made of, and whether they are old",
    },
  },
};

/** Kata 1.x's columns: what a VM is made of, and what one would be made of now. */
const ASSET_HEADER = ["HYPERVISOR", "KERNEL", "IMAGE", "LATEST-KERNEL", "LATEST-IMAGE", "STALE"];

type View = StateView & Partial<AssetsView>;

export const verb: Verb = async (args, context) => {
  const { globals, log } = context;
  const { options } = parseAnywhere(args, manual.options);
  const format = options.text("format") ?? "table";
  if (format !== "table" && format !== "json") throw new UsageError("invalid format option");
  const store = new FileStore(globals.root);
  const withAssets = options.flag("kata-all")
    ? await (await import("./asset-viewer.ts")).assetViewer(context)
    : () => ({});
  const views: View[] = [];
  for (const id of await store.list()) {
    const record = await store.read(id).catch((error: unknown) => skipUnreadable(error, log));
    if (record !== undefined) views.push({ ...stateView(record), ...withAssets(record) });
  }
  if (options.flag("quiet")) print(views.map(({ id }) => `${id}\n`).join(""));
  else if (format === "json") print(`${JSON.stringify(views.length === 0 ? null : views)}\n`);
  else print(formatTable([options.flag("kata-all") ? [...HEADER, ...ASSET_HEADER] : HEADER, ...views.map(row)]));
  return 0;
};

function row(view: View): string[] {
  const { currentHypervisor: current, latestHypervisor: latest, StaleAssets: stale } = view;
  const ofState = [view.id, String(view.pid), view.status, view.bundle, view.created, view.owner];
  if (current === undefined || latest === undefined) return ofState;
  const used = [current.hypervisorAsset, current.kernelAsset, current.imageAsset];
  const paths = [...used, latest.kernelAsset, latest.imageAsset].map(({ path }) => path);
  return [...ofState, ...paths, (stale ?? []).join(",")];
}

/** A record that was deleted meanwhile is left out; a damaged record is reported, and the others are still listed. */
function skipUnreadable(error: unknown, log: { warning(message: string): void }): ContainerRecord | undefined {
  if (!(error instanceof KataError)) throw error;
  if (error.code !== "KATA_NOT_FOUND") log.warning(error.message);
  return undefined;
}
