import { type CreatedContainer, createContainer, KataError } from "@kata-ts/virtcontainers";
import type { OptionTable, ParsedArguments } from "../arguments/parse.ts";
import { loadBundle } from "../bundle/load.ts";
import type { RuntimeContext } from "../context.ts";
import type { Log } from "../output/log.ts";
import { writePidFile } from "./pid-file.ts";
import { onlyId } from "./required.ts";

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
): Promise<CreatedContainer> {
  const id = onlyId(verb, words);
  if (options.text("console-socket") !== undefined || options.text("console") !== undefined) {
    throw new KataError("KATA_NOT_YET", "--console-socket: terminals are not supported yet");
  }
  if (Number(options.text("preserve-fds") ?? 0) > 0) {
    throw new KataError("KATA_NOT_YET", "--preserve-fds: descriptors cannot be passed into a virtual machine");
  }
  const bundle = loadBundle(options.text("bundle") ?? ".");
  if (Object.values<readonly unknown[]>({ ...bundle.spec.hooks }).some((hooks) => hooks.length > 0)) {
    log.warning(`${bundle.path}/config.json has hooks: they are not run yet`);
  }
  const created = await createContainer(
    {
      id,
      rootfs: bundle.rootfs,
      spec: bundle.spec,
      bundle: bundle.path,
      annotations: bundle.spec.annotations ?? {},
    },
    {
      hostname: bundle.spec.hostname ?? "",
      sharePidNamespace: false,
      bootDeadlineMs: configuration.bootDeadlineMs,
    },
    environment,
  );
  const pidFile = options.text("pid-file");
  if (pidFile !== undefined) writePidFile(pidFile, created.shim.identity.pid);
  return created;
}
