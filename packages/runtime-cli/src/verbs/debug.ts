import { openForExisting } from "@kata-ts/runtime";
import { debugGuest, parseContainerId } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseLeading, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { Foreground } from "./foreground.ts";
import { terminalOfOurs, withOwnSize } from "./terminal-options.ts";

export const manual: Manual = {
  operands: "CONTAINER [COMMAND [ARGUMENT …]]",
  options: {},
  notes: [
    "The guest's own root file system (read-only), processes, network and devices: beside the container, not in it.",
    "With a terminal where this command has one on its standard input. Ends with the command's own exit status.",
  ],
  examples: ["debug web", "debug web dmesg", "debug web ip addr"],
};

const ENVIRONMENT = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TERM=linux"];

/** A look into the machine that a container runs in. */
export const verb: Verb = async (args, context) => {
  const [idText, ...command] = parseLeading(args, manual.options).words;
  if (idText === undefined) throw new UsageError('"debug" requires a container id');
  const id = parseContainerId(idText);
  const terminal = process.stdin.isTTY && terminalOfOurs() !== undefined;
  const user = { uid: 0, gid: 0 };
  const shell = { user, terminal, cwd: "/", env: ENVIRONMENT, args: command.length === 0 ? ["sh"] : command };
  using foreground = new Foreground(terminal);
  await using guest = await debugGuest(
    id,
    terminal ? withOwnSize(shell) : shell,
    await (await openForExisting(context, id)).ports("store", "shims", "cgroups", "connectAgent"),
  );
  return await foreground.wait(guest.shim);
};
