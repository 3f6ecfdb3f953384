import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { stringifyJson } from "@kata-ts/agent-protocol";
import type { Image } from "@kata-ts/oci-image";
import { checkedBundle } from "@kata-ts/runtime";
import { parseContainerId, requirePrivileges } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseLeading, UsageError } from "../arguments/parse.ts";
import { parseSignal } from "../arguments/signal-name.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { isOneFile } from "../verbs/one-file.ts";
import { runContainer } from "../verbs/run-container.ts";
import { checkedConsoleSocket } from "../verbs/terminal-options.ts";
import { FrontBundle } from "./bundle.ts";
import { identityFiles } from "./identity-files.ts";
import { makeNetwork } from "./network.ts";
import { parseRequest } from "./request.ts";
import { locate, rootFileSystem } from "./root-file-system.ts";
import { frontSpec } from "./spec.ts";

export const manual: Manual = {
  operands: "IMAGE-OR-DIRECTORY [COMMAND [ARGUMENT …]]",
  options: {
    detach: { type: "boolean", short: "d", about: "do not wait for it: print its name; kata stop removes it" },
    interactive: { type: "boolean", short: "i", about: "it reads what is typed: it always does" },
    tty: { type: "boolean", short: "t", about: "give it a terminal" },
    name: { type: "string", value: "NAME", about: "its id, for exec, stop and logs" },
    volume: { type: "string", short: "v", multiple: true, value: "FROM:TO[:ro]", about: "show it a file or directory" },
    env: {
      type: "string",
      short: "e",
      multiple: true,
      value: "NAME[=VALUE]",
      about: "environment variable; without a value, the caller's",
    },
    workdir: { type: "string", short: "w", value: "DIR", about: "working directory" },
    user: {
      type: "string",
      short: "u",
      value: "USER[:GROUP]",
      about: "user and group to run as, by the image's names or by numbers",
    },
    network: { type: "string", value: "KIND", about: "bridge, or none: its loopback only; none by default" },
    publish: {
      type: "string",
      short: "p",
      multiple: true,
      value: "HOSTPORT:PORT",
      about: "forwards a port of the host to the container; needs the bridge",
    },
    memory: { type: "string", short: "m", value: "SIZE", about: "limit, such as 512m; the VM grows by it" },
    cpus: { type: "string", value: "N", about: "limit of CPU time, such as 1.5" },
    "plain-http": { type: "boolean", about: "fetch the image by HTTP, without TLS: a registry of one's own" },
    "log-opt": {
      type: "string",
      multiple: true,
      value: "NAME=VALUE",
      about: "with --detach: max-size of each file of its output, 10m by default, and max-file, 3 by default",
    },
    rm: { type: "boolean", about: "remove it when it has ended: it always is" },
  },
  notes: [
    "IMAGE-OR-DIRECTORY is a directory with a root file system, an OCI layout, an archive of docker save,",
    "or an image of a registry. Nothing of it is left when it has ended.",
    "A bridge is made by the distribution's CNI plugins; the host is the way out, by address translation.",
    "Ends with the command's own exit status; 127: there is no such command, 126: it cannot be run, 130: given up by ^C.",
  ],
  examples: [
    "run alpine:3.20 uname -a",
    "run -it --memory 512m --volume $PWD:/work:ro debian:12 bash",
    "run ./rootfs sh -c 'echo hello'",
    "run -d --name web -p 8080:80 nginx:1.27",
  ],
};

/** Makes a bundle out of what is asked for, runs it in the foreground, and removes all of it. */
export const verb: Verb = async (args, context) => {
  const { options, words } = parseLeading(args, manual.options);
  const [from, ...command] = words;
  if (from === undefined) throw new UsageError('"run" requires an image or a directory');
  const id = options.text("name") ?? `kata-${randomBytes(4).toString("hex")}`;
  const request = parseRequest(options);
  const location = locate(from, { isPlain: options.flag("plain-http") });
  await using bundle = await FrontBundle.create(id, context.globals.root, (message) => {
    context.log.warning(message);
  });
  const warn = (message: string): void => {
    context.log.warning(`${from}: ${message}`);
  };
  const { rootfs, image } = await rootFileSystem({ from, location, bundle: bundle.path }, warn);
  bundle.stopBy(stopSignal(image, warn));
  const namespace = await makeNetwork(request.network, { id, bundle: bundle.path, ports: request.ports });
  const [isOwn, hasNetwork] = [image !== undefined, namespace !== undefined];
  const files = identityFiles({ id, bundle: bundle.path, rootfs, isOwn, hasNetwork });
  const spec = await frontSpec({ id, rootfs, image, command, request, namespace, files });
  requirePrivileges();
  checkedConsoleSocket(undefined, request.tty, false);
  // Other calls about the container read it.
  writeFileSync(join(bundle.path, "config.json"), stringifyJson(spec), { mode: 0o600 });
  const container = { id: parseContainerId(id), bundle: checkedBundle(bundle.path, spec), keep: false };
  if (!options.flag("detach")) {
    const oneOutput = !request.tty && isOneFile(1, 2);
    return await runContainer({ ...container, oneOutput, detached: false }, context);
  }
  const output = { path: bundle.output, ...request.log };
  await runContainer({ ...container, oneOutput: true, output, withoutStreams: true, detached: true }, context);
  bundle.detach();
  print(`${id}\n`);
  return 0;
};

/** What ends it: the image's own word, by which nginx and systemd end as they should. */
function stopSignal(image: Image | undefined, warn: (message: string) => void): number {
  const wanted = image?.config.config?.StopSignal ?? "";
  try {
    return wanted === "" ? constants.signals.SIGTERM : parseSignal(wanted);
  } catch {
    warn(`its StopSignal ${JSON.stringify(wanted)} is no signal: SIGTERM it is`);
    return constants.signals.SIGTERM;
  }
}
