import { readFileSync } from "node:fs";
import type { FileFailure, FileOperation } from "@kata-ts/agent-protocol";
import {
  type DirectoryEntry,
  FileError,
  IdMap,
  list,
  listDetailed,
  mkdir,
  pack,
  Root,
  read,
  remove,
  rename,
  stat,
  TarError,
  unpack,
  write,
} from "@kata-ts/tree";
import { log } from "../log.ts";
import type { TransferStreams, TransferWork } from "./transfer.ts";
import { watchDirectory } from "./watch-directory.ts";

type OperationOf<Name extends FileOperation["name"]> = Extract<FileOperation, { readonly name: Name }>;

/** Entries between two reports of how many there were. */
const REPORT_EVERY = 128;

/** What an operation answers at once, or what it does with a stream of its own. */
export type Operated = { readonly value: object } | { readonly work: TransferWork };

/** The root of a container, and its ids, as its first process has them. */
export function rootOf(pid: number): Root {
  const map = (kind: string): IdMap => IdMap.parse(readFileSync(`/proc/${String(pid)}/${kind}`, "latin1"));
  return new Root(`/proc/${String(pid)}/root`, { uids: map("uid_map"), gids: map("gid_map") });
}

/** @throws FileError */
export async function operate(root: Root, operation: FileOperation): Promise<Operated> {
  const { path } = operation;
  switch (operation.name) {
    case "stat":
      return { value: await stat(root, path, operation) };
    case "mkdir":
      await mkdir(root, path, operation);
      return { value: {} };
    case "rename":
      await rename(root, path, operation.to);
      return { value: {} };
    case "remove":
      return { work: ({ signal }) => remove(root, path, { ...operation, signal }) };
    case "list":
      return { work: (streams) => sendLines(listed(root, operation), streams) };
    case "read":
      return { work: (streams) => sendAll(read(root, path, operation), streams) };
    case "write":
      return {
        work: async ({ input }) => {
          await write(root, path, input, operation);
        },
      };
    case "pack":
      return {
        work: (streams) =>
          sendAll(pack(root, path, { ...optionsFor(streams), follow: operation.follow, name: operation.as }), streams),
      };
    case "unpack":
      return {
        work: (streams) => unpack(root, path, streams.input, { ...optionsFor(streams), owner: operation.owner }),
      };
    case "watch":
      return { work: (streams) => watchDirectory(root, path, streams) };
  }
}

function listed(root: Root, { path, maxEntries, details }: OperationOf<"list">): AsyncIterable<DirectoryEntry> {
  return details === true ? listDetailed(root, path, maxEntries) : list(root, path, maxEntries);
}

/** What the host gets to know of an error. */
export function failureOf(error: unknown): FileFailure {
  if (error instanceof FileError) return { errno: error.errno, message: error.message };
  if (!(error instanceof TarError)) log(`an operation on files failed: ${String(error)}`);
  return { errno: "", message: error instanceof Error ? error.message : String(error) };
}

async function sendAll(pieces: AsyncIterable<Buffer>, { send }: TransferStreams): Promise<void> {
  for await (const piece of pieces) await send(piece);
}

const LINES_BYTES = 64 * 1024;

/** Several lines at a time: each send may be a frame. */
async function sendLines(items: AsyncIterable<object>, { send, signal }: TransferStreams): Promise<void> {
  let lines = "";
  for await (const item of items) {
    signal.throwIfAborted();
    lines += `${JSON.stringify(item)}\n`;
    if (lines.length < LINES_BYTES) continue;
    await send(Buffer.from(lines));
    lines = "";
  }
  if (lines !== "") await send(Buffer.from(lines));
}

function optionsFor({ report, signal }: TransferStreams): {
  readonly signal: AbortSignal;
  readonly onEntry: () => void;
  readonly warn: (warning: string) => void;
} {
  let entries = 0;
  return {
    signal,
    onEntry: () => {
      entries += 1;
      if (entries % REPORT_EVERY === 1) report({ entries });
    },
    warn: (warning) => {
      report({ warning });
    },
  };
}
