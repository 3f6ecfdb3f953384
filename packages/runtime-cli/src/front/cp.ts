import { stat as statOnHost } from "node:fs/promises";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { openForExisting } from "@kata-ts/runtime";
import { pack, Root, type UnpackOptions, unpack } from "@kata-ts/tree";
import { ContainerFileError, type ContainerFiles, openFiles } from "@kata-ts/virtcontainers";
import { parseContainerId } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { type Options, parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Context, Verb } from "../context.ts";
import { CopyError, copyTarget, type Found } from "./copy-target.ts";

export const manual: Manual = {
  operands: "NAME:PATH TARGET, or SOURCE NAME:PATH",
  options: {
    archive: {
      type: "boolean",
      short: "a",
      about: "keep owners: they are the caller's, or root's in the container, otherwise",
    },
    "follow-link": { type: "boolean", short: "L", about: "follow a link that is the source itself" },
    quiet: { type: "boolean", short: "q", about: "do not warn of what cannot be copied as it is" },
  },
  notes: [
    "A directory that exists takes the source in under its name; SOURCE/. is its content alone.",
    "- is a tar on standard input or output.",
    "Devices and set-id bits of a container's files do not come to this machine.",
  ],
  examples: ["cp web:/etc/nginx ./", "cp ./site/. web:/usr/share/nginx/html", "cp web:/var/log - | tar -t"],
};

export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const [source, target, ...more] = words;
  if (source === undefined || target === undefined || more.length > 0)
    throw new UsageError('"cp" takes a source and a target');
  const [from, to] = [placeOf(source), placeOf(target)];
  if ((from.container === undefined) === (to.container === undefined))
    throw new UsageError("cp copies between this machine and a container: one of the two is NAME:PATH");
  const id = parseContainerId(from.container ?? to.container ?? "");
  using opened = await openFiles(id, await (await openForExisting(context, id)).ports("store", "connectAgent"));
  const wishes = wishesOf(options, context);
  if (from.container !== undefined) await copyOut(opened.files, from.path, target, wishes);
  else await copyIn(opened.files, source, to.path, wishes);
  return 0;
};

interface Wishes {
  readonly archive: boolean;
  readonly follow: boolean;
  readonly warn: (message: string) => void;
}

interface Place {
  readonly container: string | undefined;
  readonly path: string;
}

const STREAM = "-";

/** `NAME:PATH` is a container's; what begins with `/` or `.` is always this machine's. */
function placeOf(text: string): Place {
  const [, container, path] = /^([^/.:][^/:]*):(.*)$/s.exec(text) ?? [];
  if (container === undefined || path === undefined) return { container: undefined, path: text };
  return { container, path: path.startsWith("/") ? path : `/${path}` };
}

function wishesOf(options: Options, { log }: Context): Wishes {
  const isQuiet = options.flag("quiet");
  return {
    archive: options.flag("archive"),
    follow: options.flag("follow-link"),
    warn: (message) => {
      if (!isQuiet) log.warning(message);
    },
  };
}

async function copyOut(
  files: ContainerFiles,
  source: string,
  target: string,
  { archive, follow, warn }: Wishes,
): Promise<void> {
  const found = await files.stat(source, { follow: follow || /\/\.?$/.test(source) });
  const copied = { follow, onWarning: warn };
  if (target === STREAM) {
    await pipeline(files.copyOut(source, copied), process.stdout);
    return;
  }
  const absolute = absoluteOf(target);
  const { directory, name } = copyTarget(source, found.type === "directory", absolute, await onHost(absolute));
  if ((await onHost(directory)) !== "directory") throw new CopyError(`there is no directory ${directory}`);
  const owner = archive ? undefined : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const options: UnpackOptions = { harmless: true, owner, warn };
  await unpack(new Root(directory), "/", files.copyOut(source, { ...copied, name }), options);
}

async function copyIn(
  files: ContainerFiles,
  source: string,
  target: string,
  { archive, follow, warn }: Wishes,
): Promise<void> {
  const options = { onWarning: warn, ...(archive ? {} : { owner: { uid: 0, gid: 0 } }) };
  if (source === STREAM) {
    await files.copyIn(target, process.stdin, archive ? { onWarning: warn } : options);
    return;
  }
  const absolute = absoluteOf(source);
  const isDirectory = (await onHost(absolute)) === "directory";
  const { directory, name } = copyTarget(absolute, isDirectory, target, await inContainer(files, target));
  await files.copyIn(directory, pack(new Root("/"), absolute, { follow, name, warn }), options);
}

/** As it was written at its end: a slash, and `/.`, mean something. */
function absoluteOf(path: string): string {
  const end = /\/\.?$/.exec(path === "." ? "/." : path)?.[0] ?? "";
  const absolute = resolve(path);
  return absolute === "/" ? absolute : `${absolute}${end}`;
}

async function onHost(path: string): Promise<Found> {
  try {
    return (await statOnHost(path)).isDirectory() ? "directory" : "file";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function inContainer(files: ContainerFiles, path: string): Promise<Found> {
  try {
    return (await files.stat(path)).type === "directory" ? "directory" : "file";
  } catch (error) {
    if (error instanceof ContainerFileError && error.errno === "ENOENT") return undefined;
    throw error;
  }
}
