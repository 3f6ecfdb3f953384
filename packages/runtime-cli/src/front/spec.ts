import type { RuntimeSpec, SpecMount } from "@kata-ts/agent-protocol";
import { inheritedLimits } from "@kata-ts/linux";
import { type ImageProcess, processFor, type StoredImage } from "@kata-ts/oci-image";
import { defaultSpec } from "@kata-ts/virtcontainers";
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

/** config.json of what was asked for: the image's wishes, and over them those of the command line. */
export async function frontSpec(container: FrontContainer): Promise<RuntimeSpec> {
  const { id, rootfs, request, mounts } = container;
  const { namespace, sysctl } = container.network;
  const base = defaultSpec(await processOf(container));
  const names = request.capabilities;
  const capabilities = { bounding: names, effective: names, permitted: names };
  return {
    ...base,
    process: {
      cwd: "/",
      ...base.process,
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
}

async function processOf({ rootfs, image, command, request }: FrontContainer): Promise<ImageProcess> {
  const { user } = request;
  const wishes = { ...(image?.config.config ?? { Cmd: ["sh"] }), ...(user === undefined ? {} : { User: user }) };
  const process = await processFor(rootfs, wishes, command.length === 0 ? undefined : command);
  const terminal = request.tty ? ["TERM=xterm"] : [];
  return {
    ...process,
    env: lastOfEach([...process.env, ...terminal, ...request.env]),
    cwd: request.cwd ?? process.cwd,
  };
}
