import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import {
  type AllPorts,
  type ContainerConfig,
  type ContainerId,
  type CreatedContainer,
  createContainer,
  createEmptySandbox,
  joinSandbox,
  type NewSandboxConfig,
  restoreContainer,
} from "@kata-ts/virtcontainers";
import { checkNamespaces } from "./bundle/check-namespaces.ts";
import { withInheritedLimits } from "./bundle/inherited-limits.ts";
import type { Bundle } from "./bundle/load.ts";
import { networkNamespaceOf } from "./bundle/network-namespace.ts";
import { refuseImpossible } from "./bundle/refused.ts";
import { requireSameEgress } from "./bundle/same-egress.ts";
import { type PodRole, podRole, sharesPidNamespace } from "./bundle/sandbox.ts";
import { refuseOfPod } from "./bundle/saved-process.ts";
import { unsupportedFields } from "./bundle/unsupported.ts";
import type { Configuration } from "./config/configuration.ts";
import type { RuntimeContext } from "./context.ts";
import { openRuntime, type Runtime } from "./open-runtime.ts";
import { refillLater } from "./refill.ts";

/** A container to be made of a bundle. */
export interface BundleRequest
  extends Pick<ContainerConfig, "consoleSocket" | "detached" | "output" | "user" | "withoutStreams"> {
  readonly id: ContainerId;
  readonly bundle: Bundle;
  /** Standard output and standard error are one open file. */
  readonly oneOutput: boolean;
  /** The pod that it joins, for a caller that knows it; else its annotations name one, or none. */
  readonly sandboxId?: ContainerId | undefined;
  /** Nothing but the VM is made, for containers that join it. */
  readonly withoutContainer?: boolean | undefined;
  /** Gives up, and takes back what was made. */
  readonly signal?: AbortSignal | undefined;
}

export interface BundleContainer extends CreatedContainer {
  /** The ports that it was made through. */
  readonly environment: AllPorts;
  readonly configuration: Configuration;
}

/**
 * Checks a bundle against this host and its configuration, then creates its container: in a VM of its own, or in that of
 * the pod that its annotations name.
 *
 * @throws KataError; nothing is left then
 */
export async function createFromBundle(request: BundleRequest, context: RuntimeContext): Promise<BundleContainer> {
  const { id, bundle, signal, withoutContainer = false } = request;
  const create = withoutContainer ? createEmptySandbox : createContainer;
  refuseImpossible(bundle.spec);
  checkNamespaces(bundle.spec);
  const role = roleOf(request);
  const sandboxId = role.kind === "member" ? role.sandboxId : undefined;
  context.log.about({ container: id, sandbox: sandboxId ?? id });
  const runtime = await openFor(bundle.spec, role, context);
  const configuration = await runtime.configuration();
  const container = containerConfig(request, configuration);
  const environment = await runtime.ports("store", "hypervisor", "network", "cgroups", "shims", "connectAgent");
  if (sandboxId !== undefined) requireSameEgress(bundle.spec, await environment.store.read(sandboxId));
  const created =
    sandboxId === undefined
      ? await create(container, { ...newSandbox(bundle.spec, role, configuration), signal }, environment)
      : await joinSandbox(
          { ...container, sharePidNamespace: sharesPidNamespace(bundle.spec) },
          sandboxId,
          environment,
          signal,
        );
  runtime.keepConfiguration(id);
  if (sandboxId === undefined && configuration.factory.cacheSize > 0) refillLater(context);
  return { ...created, environment, configuration };
}

/** A container to be gone on with, in a bundle that has the same container's config.json. */
export interface RestoreRequest extends Omit<BundleRequest, "sandboxId" | "withoutContainer"> {
  /** The directory that it was saved to. */
  readonly directory: string;
  /** Its processes stand still until `resumeContainer`. */
  readonly held?: boolean | undefined;
}

/**
 * Goes on with a container that was saved: see restoreContainer of virtcontainers.
 *
 * @throws KataError; nothing is left then
 */
export async function restoreFromBundle(request: RestoreRequest, context: RuntimeContext): Promise<BundleContainer> {
  const { id, bundle, directory, held, signal } = request;
  refuseImpossible(bundle.spec);
  checkNamespaces(bundle.spec);
  refuseOfPod(bundle.spec, id, "restored");
  const role = roleOf(request);
  context.log.about({ container: id, sandbox: id });
  const runtime = await openFor(bundle.spec, role, context);
  const configuration = await runtime.configuration();
  const environment = await runtime.ports("store", "hypervisor", "network", "cgroups", "shims", "connectAgent");
  const networkNamespace = configuration.newNetworkNamespace ? networkNamespaceOf(bundle.spec) : undefined;
  const options = { directory, held, networkNamespace, signal };
  const created = await restoreContainer(containerConfig(request, configuration), options, environment);
  runtime.keepConfiguration(id);
  return { ...created, environment, configuration };
}

function roleOf({ id, bundle, sandboxId }: BundleRequest): PodRole {
  return sandboxId === undefined ? podRole(bundle.spec, id) : { kind: "member", sandboxId };
}

/** A member lives in a VM that exists already: that one's annotations hold, and its own change no configuration. */
async function openFor(spec: RuntimeSpec, role: PodRole, context: RuntimeContext): Promise<Runtime> {
  const { annotations = {} } = spec;
  const purpose = role.kind === "member" ? { sandboxId: role.sandboxId } : { annotations };
  const runtime = await openRuntime(context, purpose);
  const configuration = await runtime.configuration();
  const warnings = [...runtime.configurationWarnings, ...configuration.warnings, ...unsupportedFields(spec)];
  for (const warning of warnings) context.log.warning(warning);
  return runtime;
}

function containerConfig(
  {
    id,
    bundle: { path, rootfs, spec },
    oneOutput,
    withoutStreams = false,
    output,
    consoleSocket,
    detached,
    user,
  }: BundleRequest,
  configuration: Configuration,
): ContainerConfig {
  return {
    id,
    rootfs,
    spec: forGuest(spec, configuration),
    bundle: path,
    annotations: spec.annotations ?? {},
    useBlockDevices: configuration.useBlockDevices,
    oneOutput,
    withoutStreams,
    output,
    consoleSocket,
    detached,
    user,
  };
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
    networkNamespace,
    // Its engine forwards ports of the pod.
    forwardLoopback: role.kind === "sandbox",
    hostname: spec.hostname ?? "",
    sharePidNamespace: false,
    guest: configuration.guest,
    bootDeadlineMs: configuration.bootDeadlineMs,
  };
}
