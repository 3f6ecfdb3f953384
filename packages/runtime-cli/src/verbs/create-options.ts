import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import {
  type CreatedContainer,
  createContainer,
  joinSandbox,
  type NewSandboxConfig,
  requirePrivileges,
  type ShimEnvironment,
} from "@kata-ts/virtcontainers";
import type { OptionTable, ParsedArguments } from "../arguments/parse.ts";
import { checkNamespaces } from "../bundle/check-namespaces.ts";
import { withInheritedLimits } from "../bundle/inherited-limits.ts";
import { loadBundle } from "../bundle/load.ts";
import { networkNamespaceOf } from "../bundle/network-namespace.ts";
import { refuseImpossible } from "../bundle/refused.ts";
import { type PodRole, podRole, sharesPidNamespace } from "../bundle/sandbox.ts";
import { unsupportedFields } from "../bundle/unsupported.ts";
import type { Configuration } from "../config/configuration.ts";
import type { Context } from "../context.ts";
import { openRuntime } from "../open-runtime.ts";
import { Interruption } from "./interruption.ts";
import { isOneFile } from "./one-file.ts";
import { outputFilesOf } from "./output-files.ts";
import { writePidFile } from "./pid-file.ts";
import { refusePreservedFds } from "./preserve-fds.ts";
import { refillLater } from "./refill.ts";
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

interface BundleContainer extends CreatedContainer {
  /** The ports that it was made through. */
  readonly environment: ShimEnvironment;
  readonly terminal: boolean;
}

/** Checks the whole request, then creates the container and writes its pid file. */
export async function createFromBundle(
  verb: string,
  { options, words }: ParsedArguments,
  context: Context,
): Promise<BundleContainer> {
  const id = onlyId(verb, words);
  refusePreservedFds(options);
  requirePrivileges();
  const bundle = loadBundle(options.text("bundle") ?? ".");
  refuseImpossible(bundle.spec);
  checkNamespaces(bundle.spec);
  const role = podRole(bundle.spec, id);
  const sandboxId = role.kind === "member" ? role.sandboxId : undefined;
  context.log.about({ container: id, sandbox: sandboxId ?? id });
  // A member lives in a VM that is there already.
  const annotations = sandboxId === undefined ? (bundle.spec.annotations ?? {}) : {};
  const runtime = await openRuntime(context, { annotations });
  const configuration = await runtime.configuration();
  const warnings = [...runtime.configurationWarnings, ...unsupportedFields(bundle.spec)];
  for (const warning of warnings) context.log.warning(warning);
  const detached = verb === "create" || options.flag("detach");
  const consoleSocket = checkedConsoleSocket(options, bundle.spec.process?.terminal === true, detached);
  const output = outputFilesOf(options, bundle.spec.process?.terminal === true);
  const container = {
    id,
    rootfs: bundle.rootfs,
    spec: forGuest(bundle.spec, configuration),
    bundle: bundle.path,
    annotations: bundle.spec.annotations ?? {},
    useBlockDevices: configuration.useBlockDevices,
    oneOutput: bundle.spec.process?.terminal !== true && (output !== undefined || isOneFile(1, 2)),
    ...(output === undefined ? {} : { output }),
    ...(consoleSocket === undefined ? {} : { consoleSocket }),
  };
  const environment = await runtime.ports("store", "hypervisor", "network", "cgroups", "shims", "connectAgent");
  using interruption = new Interruption();
  const { signal } = interruption;
  const joining = { ...container, sharePidNamespace: sharesPidNamespace(bundle.spec) };
  const created =
    sandboxId === undefined
      ? await createContainer(container, { ...newSandbox(bundle.spec, role, configuration), signal }, environment)
      : await joinSandbox(joining, sandboxId, environment, signal);
  runtime.keepConfiguration(id);
  if (sandboxId === undefined && configuration.factory.cacheSize > 0) refillLater(context);
  const pidFile = options.text("pid-file");
  if (pidFile !== undefined) writePidFile(pidFile, created.shim.identity.pid);
  return { ...created, environment, terminal: bundle.spec.process?.terminal === true };
}

function forGuest({ process, ...rest }: RuntimeSpec, { useSeccomp }: Configuration): RuntimeSpec {
  const spec = { ...rest, ...(process === undefined ? {} : { process: withInheritedLimits(process) }) };
  return useSeccomp ? spec : withoutSeccomp(spec);
}

function withoutSeccomp({ linux = {}, ...spec }: RuntimeSpec): RuntimeSpec {
  return { ...spec, linux: Object.fromEntries(Object.entries(linux).filter(([name]) => name !== "seccomp")) };
}

function newSandbox(spec: RuntimeSpec, role: PodRole, configuration: Configuration): NewSandboxConfig {
  const networkNamespace = configuration.newNetworkNamespace ? networkNamespaceOf(spec) : undefined;
  return {
    ...(networkNamespace === undefined ? {} : { networkNamespace }),
    // Its engine forwards ports of the pod.
    forwardLoopback: role.kind === "sandbox",
    hostname: spec.hostname ?? "",
    sharePidNamespace: false,
    guest: configuration.guest,
    bootDeadlineMs: configuration.bootDeadlineMs,
  };
}
