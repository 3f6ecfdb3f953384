import {
  type ContainerId,
  type DroppedOutput,
  FileStore,
  KataError,
  readDropped,
  statusOf,
} from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Context, Verb } from "../context.ts";
import { print, printError } from "../output/print.ts";
import { Interruption } from "../verbs/interruption.ts";
import { verb as vmLogs } from "../verbs/logs.ts";
import { onlyId } from "../verbs/required.ts";
import { FrontBundle } from "./bundle.ts";
import { droppedText } from "./dropped-text.ts";
import { OutputReader } from "./follow-output.ts";
import { keepShowing, type Showing, showChunk } from "./keep-showing.ts";
import { LastLines } from "./last-lines.ts";
import { networkLogs } from "./network-log.ts";

export const manual: Manual = {
  operands: "NAME",
  options: {
    follow: { type: "boolean", short: "f", about: "go on with what it writes, until it has ended" },
    tail: { type: "string", short: "n", value: "LINES", about: "begin with so many of the last lines, or with all" },
    vm: { type: "boolean", about: "what its virtual machine said instead" },
    network: { type: "boolean", about: "what --egress has let it call and what not, instead" },
  },
  notes: ["What a container that runs detached has written; of others, what their virtual machine said."],
  examples: ["logs web", "logs -f --tail 10 web", "logs --vm web", "logs --network -f web"],
};

export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const id = onlyId("logs", words);
  const [follow, tail] = [options.flag("follow"), tailOf(options.text("tail"))];
  if (options.flag("network")) return networkLog(id, { follow, tail }, context);
  const bundle = FrontBundle.detached(id);
  if (bundle === undefined || options.flag("vm")) {
    if (follow || tail !== undefined)
      throw new UsageError("--follow and --tail are for what a detached container writes");
    return vmLogs([id], context);
  }
  const dropped = (): DroppedOutput => readDropped(bundle.output);
  await showFiles(bundle.outputs, bundle.path, { id, follow, tail, dropped }, context);
  return 0;
};

interface Wanted {
  readonly follow: boolean;
  /** Undefined: all. */
  readonly tail: number | undefined;
}

interface Shown extends Wanted {
  readonly id: ContainerId;
  /** What is not in the files any more. */
  readonly dropped: () => DroppedOutput;
}

/** @throws KataError KATA_NOT_FOUND where it has no network with a log */
async function networkLog(id: ContainerId, wanted: Wanted, context: Context): Promise<number> {
  const directory = FrontBundle.pathOf(id);
  const files = networkLogs(directory);
  if (files.length === 0) {
    await new FileStore(context.globals.root).read(id);
    throw new KataError("KATA_NOT_FOUND", `${id} has no network with a log: its network is not nat`);
  }
  // Its writer does not count.
  await showFiles(files, directory, { id, dropped: () => ({ old: 0, unwritten: 0 }), ...wanted }, context);
  return 0;
}

async function showFiles(files: readonly string[], directory: string, shown: Shown, context: Context): Promise<void> {
  const { follow, tail, dropped } = shown;
  using reader = new OutputReader(files, () => dropped().old);
  const { unwritten } = tail === undefined ? await showAll(reader, dropped) : showLast(reader, tail, dropped);
  if (follow) await goOn(reader, directory, { ...shown, saidUnwritten: unwritten }, context);
}

function tailOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "all") return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--tail takes a number of lines, or all, not "${text}"`);
  return Number(text);
}

/** @returns what was dropped, as it has said */
async function showAll(reader: OutputReader, dropped: () => DroppedOutput): Promise<DroppedOutput> {
  const said = dropped();
  printError(droppedText(said));
  for (const chunk of reader.read()) await showChunk(chunk);
  return said;
}

/** @returns what was dropped, as it has said */
function showLast(reader: OutputReader, count: number, dropped: () => DroppedOutput): DroppedOutput {
  const last = new LastLines(count);
  for (const chunk of reader.read()) last.add(chunk);
  print(last.bytes);
  const { old, unwritten } = dropped();
  printError(droppedText(last.isFull ? { unwritten } : { old, unwritten }));
  return { old, unwritten };
}

/** Until the container has ended, or the caller does not want more. */
async function goOn(
  reader: OutputReader,
  directory: string,
  { id, dropped, saidUnwritten }: Shown & Pick<Showing, "saidUnwritten">,
  { globals }: Context,
): Promise<void> {
  using interruption = new Interruption();
  const store = new FileStore(globals.root);
  const hasEnded = async (): Promise<boolean> => {
    const record = await store.read(id).catch(() => undefined);
    return record === undefined || statusOf(record) === "stopped";
  };
  await keepShowing(reader, { directory, dropped, saidUnwritten, hasEnded, signal: interruption.signal });
}
