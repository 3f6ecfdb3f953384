import type { RuntimeSpec, SpecMount } from "@kata-ts/agent-protocol";
import { inheritedLimits } from "@kata-ts/linux";
import { type Image, type ImageProcess, processFor } from "@kata-ts/oci-image";
import { defaultSpec } from "@kata-ts/virtcontainers";
import type { FrontRequest } from "./request.ts";

/** What Docker gives a container: package managers and servers that change their user need it. */
const CAPABILITIES = [
  ...["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE"],
  ...["NET_RAW", "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP"],
].map((name) => `CAP_${name}`);

export interface FrontContainer {
  readonly id: string;
  readonly rootfs: string;
  readonly image: Image | undefined;
  readonly command: readonly string[];
  readonly request: FrontRequest;
  /** A path to its network namespace; without it the container has its loopback. */
  readonly namespace: string | undefined;
  /** Files by which it knows itself. */
  readonly files: readonly SpecMount[];
}

/** config.json of what was asked for: the image's wishes, and over them those of the command line. */
export async function frontSpec(container: FrontContainer): Promise<RuntimeSpec> {
  const { id, rootfs, request, namespace, files } = container;
  const base = defaultSpec(await processOf(container));
  const capabilities = { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES };
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
    root: { path: rootfs },
    hostname: id,
    mounts: [...(base.mounts ?? []), ...files, ...request.volumes],
    linux: {
      ...base.linux,
      namespaces: (base.linux?.namespaces ?? []).map((each) =>
        each.type === "network" && namespace !== undefined ? { ...each, path: namespace } : each,
      ),
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
    env: [...process.env, ...terminal, ...request.env],
    cwd: request.cwd ?? process.cwd,
  };
}
