import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { stringifyJson } from "@kata-ts/agent-protocol";
import { fits, ownPlatform, type Platform, parsePlatform, platformText, type StoredImage } from "@kata-ts/oci-image";
import { checkedBundle } from "@kata-ts/runtime";
import { KataError, parseContainerId, requirePrivileges } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { type Options, parseLeading, UsageError } from "../arguments/parse.ts";
import { parseSignal } from "../arguments/signal-name.ts";
import type { Context, Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { Interruption } from "../verbs/interruption.ts";
import { isOneFile } from "../verbs/one-file.ts";
import { runContainer } from "../verbs/run-container.ts";
import { checkedConsoleSocket } from "../verbs/terminal-options.ts";
import { FrontBundle } from "./bundle.ts";
import { CONTAINER_OPTIONS } from "./container-options.ts";
import { identityFiles } from "./identity-files.ts";
import { locate } from "./locate.ts";
import { makeNetwork, type NetworkOptions } from "./network.ts";
import { NETWORK_OPTIONS } from "./network-request.ts";
import { ownProgram } from "./own-program.ts";
import { removeAtEnd } from "./remove-at-end.ts";
import { removeContainer } from "./remove-container.ts";
import { type FrontRequest, parseRequest } from "./request.ts";
import { type Origin, type PullPolicy, rootFileSystem } from "./root-file-system.ts";
import { frontSpec } from "./spec.ts";
import { volumeMounts } from "./volumes.ts";

export const manual: Manual = {
  operands: "IMAGE-OR-DIRECTORY [COMMAND [ARGUMENT …]]",
  options: {
    detach: { type: "boolean", short: "d", about: "do not wait for it: print its name; kata stop removes it" },
    interactive: { type: "boolean", short: "i", about: "it reads what is typed: it always does" },
    tty: { type: "boolean", short: "t", about: "give it a terminal" },
    name: { type: "string", value: "NAME", about: "its id, for exec, stop and logs" },
    ...CONTAINER_OPTIONS,
    env: {
      type: "string",
      short: "e",
      multiple: true,
      value: "NAME[=VALUE]",
      about: "environment variable; without a value, the caller's",
    },
    "env-file": { type: "string", multiple: true, value: "FILE", about: "a file of variables, a line each" },
    workdir: { type: "string", short: "w", value: "DIR", about: "working directory" },
    user: {
      type: "string",
      short: "u",
      value: "USER[:GROUP]",
      about: "user and group to run as, by the image's names or by numbers",
    },
    ...NETWORK_OPTIONS,
    memory: { type: "string", short: "m", value: "SIZE", about: "limit, such as 512m; the VM grows by it" },
    cpus: { type: "string", value: "N", about: "limit of CPU time, such as 1.5" },
    "plain-http": { type: "boolean", about: "fetch the image by HTTP, without TLS: a registry of one's own" },
    pull: {
      type: "string",
      value: "WHEN",
      about: "ask the registry always, for what is missing here, or never; missing",
    },
    platform: { type: "string", value: "OS/ARCH", about: "of an image for several; the guest has this machine's" },
    "log-opt": {
      type: "string",
      multiple: true,
      value: "NAME=VALUE",
      about: "with --detach: max-size of each file of its output, 10m, and max-file, 3",
    },
    rm: { type: "boolean", about: "remove it when it has ended: only a detached container stays without it" },
  },
  notes: [
    "IMAGE-OR-DIRECTORY is a directory with a root file system, an OCI layout, an archive of docker save,",
    "or an image of a registry, which is fetched where it is not here. Of the container nothing is left when it has ended.",
    "The host is the way out, by address translation. Where it lacks nft, a container that asks for no network has none.",
    "Ends with the command's own exit status; 127: there is no such command, 126: it cannot be run, 125: no container could",
    "be made, 130: given up by ^C.",
  ],
  examples: [
    "run alpine:3.20 uname -a",
    "run -it --memory 512m --volume $PWD:/work:ro debian:12 bash",
    "run ./rootfs sh -c 'echo hello'",
    "run -d --name web -p 8080:80 nginx:1.27",
    "run --egress '*.debian.org:80,10.1.0.0/16' debian:12 apt-get update",
  ],
};

export const verb: Verb = async (args, context) => {
  const { options, words } = parseLeading(args, manual.options);
  const [from, ...command] = words;
  if (from === undefined) throw new UsageError('"run" requires an image or a directory');
  const id = options.text("name") ?? `kata-${randomBytes(4).toString("hex")}`;
  const [detached, removed] = [options.flag("detach"), options.flag("rm")];
  const request = parseRequest(options);
  const [policy, platform] = [pullPolicy(options), guestPlatform(options)];
  const location = locate(from, { isPlain: options.flag("plain-http") });
  requirePrivileges();
  // What follows takes back at its end what it has made: a signal ends it there.
  using interruption = new Interruption();
  const { signal } = interruption;
  try {
    return await runIn({ id, from, location, policy, platform, command, request, detached, removed, signal }, context);
  } catch (error) {
    if (error instanceof KataError && error.code === "KATA_INTERRUPTED") signal.throwIfAborted();
    throw error;
  }
};

interface RunRequest extends Omit<Origin, "bundle"> {
  readonly id: string;
  readonly command: readonly string[];
  readonly request: FrontRequest;
  readonly detached: boolean;
  /** Where it is detached, too. */
  readonly removed: boolean;
}

/** Makes a bundle out of what is asked for, runs it, and removes all of it, unless it is detached. */
async function runIn(asked: RunRequest, context: Context): Promise<number> {
  const { id, from, command, request, detached, signal } = asked;
  await using bundle = await FrontBundle.create(id, context.globals.root, (message) => {
    context.log.warning(message);
  });
  const warn = (message: string): void => {
    context.log.warning(`${from}: ${message}`);
  };
  const { rootfs, image } = await rootFileSystem({ ...asked, bundle }, warn);
  bundle.stopBy(stopSignal(image, warn));
  await using network = await makeNetwork(request.network, networkOptions(asked, bundle.path, context));
  const { resolvConf, address } = network;
  const { hostname = id, hosts } = request;
  const isOwn = image !== undefined;
  const files = identityFiles({ bundle: bundle.path, rootfs, isOwn, resolvConf, address, hostname, hosts });
  const volumes = await volumeMounts(request.volumes, { image: image?.rootfs, bundle, signal });
  const { spec, user } = frontSpec({ id, rootfs, image, command, request, network, mounts: [...files, ...volumes] });
  signal.throwIfAborted();
  checkedConsoleSocket(undefined, request.tty, false);
  // Other calls about the container read it.
  writeFileSync(join(bundle.path, "config.json"), stringifyJson(spec), { mode: 0o600 });
  const container = { id: parseContainerId(id), bundle: checkedBundle(bundle.path, spec), user, keep: false };
  if (!detached) {
    const oneOutput = !request.tty && isOneFile(1, 2);
    return await runContainer({ ...container, oneOutput, detached }, context);
  }
  const output = { path: bundle.output, ...request.log };
  await runContainer({ ...container, oneOutput: true, output, withoutStreams: true, detached }, context);
  if (signal.aborted) {
    await removeContainer(container.id, context);
    throw signal.reason;
  }
  bundle.detach();
  network.release();
  if (asked.removed) await removeAtEnd(id, context);
  print(`${id}\n`);
  return 0;
}

function networkOptions({ id, detached, signal }: RunRequest, bundle: string, context: Context): NetworkOptions {
  const { log } = context;
  const warn = (message: string): void => {
    log.warning(`the network of ${id}: ${message}`);
  };
  const onDecision = (text: string): void => {
    log.debug(`the network of ${id}: ${text}`);
  };
  return { id, bundle, detached, signal, kata: ownProgram(context), warn, onDecision };
}

/** What ends it: the image's own word, by which nginx and systemd end as they should. */
function stopSignal(image: StoredImage | undefined, warn: (message: string) => void): number {
  const wanted = image?.config.config?.StopSignal ?? "";
  try {
    return wanted === "" ? constants.signals.SIGTERM : parseSignal(wanted);
  } catch {
    warn(`its StopSignal ${JSON.stringify(wanted)} is no signal: SIGTERM it is`);
    return constants.signals.SIGTERM;
  }
}

function pullPolicy(options: Options): PullPolicy {
  const policy = options.text("pull") ?? "missing";
  if (policy === "always" || policy === "missing" || policy === "never") return policy;
  throw new UsageError(`--pull takes always, missing or never, not "${policy}"`);
}

/** Undefined for any that fits. @throws UsageError for what a guest of this machine cannot run */
function guestPlatform(options: Options): Platform | undefined {
  const text = options.text("platform");
  const platform = text === undefined ? undefined : parsePlatform(text);
  if (platform === undefined || fits(platform, ownPlatform())) return platform;
  throw new UsageError(
    `--platform ${platformText(platform)}: a guest of this machine runs ${platformText(ownPlatform())}`,
  );
}
