import { type BundleRequest, loadBundle } from "@kata-ts/runtime";
import { requirePrivileges } from "@kata-ts/virtcontainers";
import type { OptionTable, ParsedArguments } from "../arguments/parse.ts";
import { isOneFile } from "./one-file.ts";
import { outputFilesOf } from "./output-files.ts";
import { refusePreservedFds } from "./preserve-fds.ts";
import { onlyId } from "./required.ts";
import { checkedConsoleSocket } from "./terminal-options.ts";

/** The options that `create` and `run` share; runc's spellings. */
export const CREATE_OPTIONS: OptionTable = {
  bundle: { type: "string", short: "b", value: "DIR", about: "directory with config.json, the current one by default" },
  console: { type: "string", value: "PATH", about: "for callers of old: not used" },
  "console-socket": { type: "string", value: "PATH", about: "socket that is sent the terminal's master" },
  "pid-file": { type: "string", value: "FILE", about: "written with the pid of the shim" },
  "no-pivot": { type: "boolean", about: "for callers of runc: not used" },
  "no-new-keyring": { type: "boolean", about: "for callers of runc: not used" },
  "preserve-fds": { type: "string", value: "N", about: "refused: a descriptor means nothing in another kernel" },
};

/** The container that a command line of `create` or `run` describes. @throws UsageError, KataError */
export function requestOf(verb: string, { options, words }: ParsedArguments): BundleRequest {
  const id = onlyId(verb, words);
  refusePreservedFds(options);
  requirePrivileges();
  const bundle = loadBundle(options.text("bundle") ?? ".");
  const terminal = bundle.spec.process?.terminal === true;
  const detached = verb === "create" || options.flag("detach");
  const consoleSocket = checkedConsoleSocket(options.text("console-socket"), terminal, detached);
  const output = outputFilesOf(options, terminal);
  return {
    id,
    bundle,
    oneOutput: !terminal && (output !== undefined || isOneFile(1, 2)),
    output,
    consoleSocket,
    detached,
  };
}
