import type { RuntimeSpec, SpecMount } from "@kata-ts/agent-protocol";
import { inheritedLimits } from "@kata-ts/linux";
import { type ImageProcess, processFor, type StoredImage } from "@kata-ts/oci-image";
import { defaultSpec } from "@kata-ts/virtcontainers";
import { asUser } from "./exec-user.ts";
import type { ContainerNetwork } from "./network.ts";
import type { FrontRequest } from "./request.ts";
import { lastOfEach } from "./variables.ts";

export interface FrontContainer {
  readonly id: string;
  readonly rootfs: string;
  readonly image: StoredImage | undefined;
  readonly command: readonly string[];
  readonly request: FrontRequest;
  readonly network: Pick<ContainerNetwork, "namespace" | "sysctl">;
  /** Files by which it knows itself, and its volumes. */
  readonly mounts: readonly SpecMount[];
}

export interface FrontSpec {
  readonly spec: RuntimeSpec;
  /** Who its process is, where that is for the guest to look up; `spec` has root then. */
  readonly user: string | undefined;
}

/**
 * config.json of what was asked for: the image's wishes, and over them those of the command line. Nothing in the root file system is read:
 * it may be a stranger's.
 *
 * @throws ImageError KATA_IMAGE_FORMAT where there is no command, or the image has a user by numbers that no user has
 */
export function frontSpec(container: FrontContainer): FrontSpec {
  const { id, rootfs, request, mounts } = container;
  const { namespace, sysctl } = container.network;
  const wanted = processOf(container);
  const base = defaultSpec(wanted);
  const { process, user } = asUser(base.process ?? { cwd: "/" }, wanted.user);
  const names = request.capabilities;
  const capabilities = { bounding: names, effective: names, permitted: names };
  const spec: RuntimeSpec = {
    ...base,
    process: {
      ...process,
      terminal: request.tty,
      capabilities,
      noNewPrivileges: false,
      // The caller's, as a daemon's containers have the daemon's.
      rlimits: inheritedLimits(),
    },
    root: { path: rootfs, ...(request.readonly && { readonly: true }) },
    hostname: request.hostname ?? id,
    mounts: [...(base.mounts ?? []), ...request.tmpfs, ...mounts],
    linux: {
      ...base.linux,
      namespaces: (base.linux?.namespaces ?? []).map((each) =>
        each.type === "network" && namespace !== undefined ? { ...each, path: namespace } : each,
      ),
      sysctl: { ...base.linux?.sysctl, ...sysctl },
      resources: { ...base.linux?.resources, ...request.resources },
    },
  };
  return { spec, user };
}

function processOf({ image, command, request }: FrontContainer): ImageProcess {
  const { user } = request;
  const wishes = { ...(image?.config.config ?? { Cmd: ["sh"] }), ...(user === undefined ? {} : { User: user }) };
  const name = image === undefined ? "the root file system" : `image ${image.names[0] ?? image.digest}`;
  const wanted = processFor(wishes, command.length === 0 ? undefined : command, name);
  const terminal = request.tty ? ["TERM=xterm"] : [];
  return {
    ...wanted,
    env: lastOfEach([...wanted.env, ...terminal, ...request.env]),
    cwd: request.cwd ?? wanted.cwd,
  };
}
