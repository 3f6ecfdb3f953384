import { posix } from "node:path";
import { type containerd, runtime } from "#gen/containerd";
import { isMessage } from "../any.ts";
import type { PodSandboxRequest } from "../tasks/pod.ts";
import { makeSandboxFiles } from "./sandbox-files.ts";

type Request = containerd.runtime.sandbox.v1.CreateSandboxRequest;

/** What containerd says of a sandbox, with what a kubelet says of its pod: then its files are made. */
export function sandboxRequest(request: Request): PodSandboxRequest {
  const { sandbox_id: id, bundle_path, netns_path, options, annotations } = request;
  const config =
    options !== null && options !== undefined && isMessage(options, "runtime.v1.PodSandboxConfig")
      ? runtime.v1.PodSandboxConfig.decode(options.value ?? new Uint8Array())
      : undefined;
  const parent = config?.linux?.cgroup_parent ?? "";
  return {
    id,
    networkNamespace: netns_path === "" ? undefined : netns_path,
    hostname: config?.hostname ?? "",
    cgroupsPath: parent === "" ? undefined : cgroupBelow(parent, id),
    annotations: { ...config?.annotations, ...annotations },
    mounts: config === undefined ? [] : makeSandboxFiles(bundle_path, config),
  };
}

/** As containerd's CRI plugin places a pod's containers. */
function cgroupBelow(parent: string, id: string): string {
  const name = posix.basename(parent);
  return name.endsWith(".slice") ? `${name}:cri-containerd:${id}` : posix.join(parent, id);
}
