import { realpath } from "node:fs/promises";
import { isAbsolute } from "node:path";
import type { RuntimeSpec, SpecLinux, SpecMount } from "@kata-ts/agent-protocol";
import { withBlockDevices } from "../container/block-devices.ts";
import type { ContainerConfig } from "../container/config.ts";
import { KataError } from "../errors.ts";
import type { ContainerId } from "../identifiers.ts";
import { defaultSpec } from "./default-spec.ts";
import type { ContainerOptions } from "./sandbox-options.ts";
import { lookedUp } from "./user.ts";

/** Hooks that programs of the host run; startContainer hooks are the guest's. */
const HOST_HOOKS = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"] as const;

/**
 * A container as the runtime's steps take it.
 *
 * @param mounts what containers with this library's defaults get of their sandbox; their own go before it
 * @throws KataError KATA_CONFIG, KATA_UNSUPPORTED
 */
export async function containerConfigOf(
  id: ContainerId,
  options: ContainerOptions,
  mounts: readonly SpecMount[] = [],
): Promise<ContainerConfig> {
  const spec = specOf(options, mounts);
  const devices = options.devices ?? [];
  const named = spec.linux?.devices?.some(({ type }) => type === "b") === true;
  return {
    id,
    rootfs: await realpath(rootOf(options.rootfs, spec)),
    spec: { ...spec, linux: withBlockDevices(spec.linux ?? {}, devices) },
    bundle: "",
    user: options.config === undefined ? lookedUp(options.user) : undefined,
    annotations: spec.annotations ?? {},
    useBlockDevices: devices.length > 0 || named,
    keepRootfs: true,
  };
}

function specOf(options: ContainerOptions, sandboxMounts: readonly SpecMount[]): RuntimeSpec {
  if (options.config !== undefined) return checked(options.config);
  const base = defaultSpec(options);
  const linux: SpecLinux = { ...base.linux, resources: { ...base.linux?.resources, ...options.resources } };
  const own = options.mounts ?? [];
  const shared = sandboxMounts.filter(({ destination }) => own.every((each) => each.destination !== destination));
  return { ...base, mounts: [...(base.mounts ?? []), ...shared, ...own], linux };
}

/** What of config.json has no meaning for a container of this process. */
function checked(config: RuntimeSpec): RuntimeSpec {
  const hook = HOST_HOOKS.find((name) => (config.hooks?.[name] ?? []).length > 0);
  if (hook !== undefined) throw unsupported(`${hook} hooks`, "call what they do before createContainer, or after it");
  const place = config.linux?.namespaces?.find(({ path = "" }) => path !== "");
  if (place !== undefined) {
    throw unsupported(
      `the ${place.type} namespace ${String(place.path)}`,
      "a sandbox's network is an option of Sandbox.create",
    );
  }
  if (config.process?.terminal === true) throw unsupported("a terminal", "processes of a sandbox have pipes");
  return config;
}

function rootOf(rootfs: string | undefined, { root }: RuntimeSpec): string {
  const path = rootfs ?? root?.path ?? "";
  if (isAbsolute(path) || rootfs !== undefined) return path;
  throw new KataError(
    "KATA_CONFIG",
    `root.path of the container's config is not an absolute path: ${JSON.stringify(path)}`,
    {
      hint: "there is no bundle that it could be relative to: give rootfs",
    },
  );
}

function unsupported(what: string, hint: string): KataError {
  return new KataError("KATA_UNSUPPORTED", `a container of a sandbox cannot have ${what} of its config`, { hint });
}
