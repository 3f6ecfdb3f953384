import { execInContainer, FileStore, parseContainerId } from "@kata-ts/virtcontainers";
import { type OptionTable, parseLeading, UsageError } from "../arguments/parse.ts";
import { loadProcess, loadSpec } from "../bundle/load.ts";
import { unsupportedProcessFields } from "../bundle/unsupported.ts";
import { openRuntime } from "../context.ts";
import type { Verb } from "../main.ts";
import { processFromOptions } from "./exec-process.ts";
import { Foreground } from "./foreground.ts";
import { writePidFile } from "./pid-file.ts";
import { refusePreservedFds } from "./preserve-fds.ts";
import { checkedConsoleSocket, withOwnSize } from "./terminal-options.ts";

const OPTIONS: OptionTable = {
  console: { type: "string" },
  "console-socket": { type: "string" },
  cwd: { type: "string" },
  env: { type: "string", short: "e", multiple: true },
  tty: { type: "boolean", short: "t" },
  user: { type: "string", short: "u" },
  "additional-gids": { type: "string", short: "g", multiple: true },
  process: { type: "string", short: "p" },
  detach: { type: "boolean", short: "d" },
  "pid-file": { type: "string" },
  "process-label": { type: "string" },
  apparmor: { type: "string" },
  "no-new-privs": { type: "boolean" },
  cap: { type: "string", short: "c", multiple: true },
  "preserve-fds": { type: "string" },
  "ignore-paused": { type: "boolean" },
  "no-subreaper": { type: "boolean" },
};

/** Everything after the container id belongs to the command. */
export const verb: Verb = async (args, context) => {
  const { options, words } = parseLeading(args, OPTIONS);
  const [idText, ...command] = words;
  if (idText === undefined) throw new UsageError('"exec" requires a container id');
  const id = parseContainerId(idText);
  const processFile = options.text("process");
  if (processFile === undefined && command.length === 0) throw new UsageError('"exec" requires a command');
  refusePreservedFds(options);
  const { bundle } = await new FileStore(context.globals.root).read(id);
  const process =
    processFile === undefined
      ? processFromOptions(loadSpec(bundle).process, command, options)
      : loadProcess(processFile);
  for (const warning of unsupportedProcessFields(process)) context.log.warning(warning);
  const detached = options.flag("detach");
  const terminal = process.terminal === true;
  const consoleSocket = checkedConsoleSocket(options, terminal, detached);
  using foreground = detached ? undefined : new Foreground(terminal);
  const shim = await execInContainer(
    id,
    terminal && !detached ? withOwnSize(process) : process,
    { ignorePaused: options.flag("ignore-paused"), ...(consoleSocket === undefined ? {} : { consoleSocket }) },
    openRuntime(context).environment,
  );
  const pidFile = options.text("pid-file");
  if (pidFile !== undefined) writePidFile(pidFile, shim.identity.pid);
  return foreground === undefined ? 0 : await foreground.wait(shim);
};
