import { loadProcess } from "@kata-ts/runtime";
import { FileStore, parseContainerId } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseLeading, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { asOwnUser, subgroupOf, wishesOf } from "./exec-process.ts";
import { refusePreservedFds } from "./preserve-fds.ts";
import { ownProcess, runExec } from "./run-exec.ts";
import { checkedConsoleSocket } from "./terminal-options.ts";

export const manual: Manual = {
  operands: "CONTAINER COMMAND [ARGUMENT …]",
  options: {
    console: { type: "string", value: "PATH", about: "for callers of old: not used" },
    "console-socket": { type: "string", value: "PATH", about: "socket that is sent the terminal's master" },
    cwd: { type: "string", value: "DIR", about: "working directory" },
    env: { type: "string", short: "e", multiple: true, value: "NAME=VALUE", about: "environment variable" },
    tty: { type: "boolean", short: "t", about: "give it a terminal" },
    user: { type: "string", short: "u", value: "UID[:GID]", about: "user and group" },
    "additional-gids": { type: "string", short: "g", multiple: true, value: "GID", about: "supplementary group" },
    process: { type: "string", short: "p", value: "FILE", about: "process.json, instead of a command" },
    detach: { type: "boolean", short: "d", about: "do not wait for it" },
    "pid-file": { type: "string", value: "FILE", about: "written with the pid of the shim" },
    "process-label": { type: "string", value: "LABEL", about: "SELinux label: a guest has none" },
    apparmor: { type: "string", value: "PROFILE", about: "AppArmor profile: a guest has none" },
    "no-new-privs": { type: "boolean", about: "it may not gain privileges" },
    cap: { type: "string", short: "c", multiple: true, value: "CAP", about: "capability to add" },
    "preserve-fds": { type: "string", value: "N", about: "refused: a descriptor means nothing in another kernel" },
    "ignore-paused": { type: "boolean", about: "also in a paused container" },
    cgroup: { type: "string", multiple: true, value: "PATH", about: "cgroup below the container's, which is there" },
    "no-subreaper": { type: "boolean", about: "for callers of runc: not used" },
  },
  notes: ["Ends with the command's own exit status; 255: it did not come about."],
  examples: ["exec web ps", "exec --tty --env TERM=xterm web sh", "exec --process process.json web"],
};

/** Everything after the container id belongs to the command. */
export const verb: Verb = async (args, context) => {
  const { options, words } = parseLeading(args, manual.options);
  const [idText, ...command] = words;
  if (idText === undefined) throw new UsageError('"exec" requires a container id');
  const id = parseContainerId(idText);
  const processFile = options.text("process");
  if (processFile === undefined && command.length === 0) throw new UsageError('"exec" requires a command');
  refusePreservedFds(options);
  await new FileStore(context.root).read(id); // That there is no such container comes before what is wrong with the process.
  const { process, user } =
    processFile === undefined
      ? asOwnUser(await ownProcess(id, context), command, wishesOf(options))
      : { process: loadProcess(processFile), user: undefined };
  const detached = options.flag("detach");
  const consoleSocket = checkedConsoleSocket(options.text("console-socket"), process.terminal === true, detached);
  return runExec(
    {
      ...{ id, process, user, detached },
      pidFile: options.text("pid-file"),
      ignorePaused: options.flag("ignore-paused"),
      cgroup: subgroupOf(options.list("cgroup")),
      consoleSocket,
    },
    context,
  );
};
