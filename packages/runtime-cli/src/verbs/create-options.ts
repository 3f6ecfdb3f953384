import { type CreatedContainer, createContainer } from "@kata-ts/virtcontainers";
import type { OptionTable, ParsedArguments } from "../arguments/parse.ts";
import { loadBundle } from "../bundle/load.ts";
import { networkNamespaceOf } from "../bundle/network-namespace.ts";
import { resolvConfOf } from "../bundle/resolv-conf.ts";
import { unsupportedFields } from "../bundle/unsupported.ts";
import type { RuntimeContext } from "../context.ts";
import type { Log } from "../output/log.ts";
import { writePidFile } from "./pid-file.ts";
import { refusePreservedFds } from "./preserve-fds.ts";
import { onlyId } from "./required.ts";
import { checkedConsoleSocket } from "./terminal-options.ts";

/** The options that `create` and `run` share; runc's spellings. */
export const CREATE_OPTIONS: OptionTable = {
  bundle: { type: "string", short: "b" },
  console: { type: "string" },
  "console-socket": { type: "string" },
  "pid-file": { type: "string" },
  "no-pivot": { type: "boolean" },
  "no-new-keyring": { type: "boolean" },
  "preserve-fds": { type: "string" },
};

/** Checks the whole request, then creates the container and writes its pid file. */
export async function createFromBundle(
  verb: string,
  { options, words }: ParsedArguments,
  { configuration, environment }: RuntimeContext,
  log: Log,
): Promise<CreatedContainer & { readonly terminal: boolean }> {
  const id = onlyId(verb, words);
  refusePreservedFds(options);
  const bundle = loadBundle(options.text("bundle") ?? ".");
  for (const warning of unsupportedFields(bundle.spec)) log.warning(warning);
  const detached = verb === "create" || options.flag("detach");
  const consoleSocket = checkedConsoleSocket(options, bundle.spec.process?.terminal === true, detached);
  const networkNamespace = configuration.newNetworkNamespace ? networkNamespaceOf(bundle.spec) : undefined;
  const created = await createContainer(
    {
      id,
      rootfs: bundle.rootfs,
      spec: bundle.spec,
      bundle: bundle.path,
      annotations: bundle.spec.annotations ?? {},
      ...(consoleSocket === undefined ? {} : { consoleSocket }),
    },
    {
      ...(networkNamespace === undefined ? {} : { networkNamespace }),
      dns: resolvConfOf(bundle.spec),
      hostname: bundle.spec.hostname ?? "",
      sharePidNamespace: false,
      bootDeadlineMs: configuration.bootDeadlineMs,
    },
    environment,
  );
  const pidFile = options.text("pid-file");
  if (pidFile !== undefined) writePidFile(pidFile, created.shim.identity.pid);
  return { ...created, terminal: bundle.spec.process?.terminal === true };
}
