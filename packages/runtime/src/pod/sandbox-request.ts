import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import { parseContainerId } from "@kata-ts/virtcontainers";
import type { BundleRequest } from "../create-from-bundle.ts";
import { OCI_VERSION } from "../version.ts";

/** A pod's VM that is to be there before any container. */
export interface SandboxRequest {
  /** The pod's: containers that join it name it by their annotations. */
  readonly id: string;
  /** A path; a namespace is made where there is none. */
  readonly networkNamespace?: string | undefined;
  readonly hostname?: string | undefined;
  /** As in config.json: absolute, or systemd's `slice:prefix:name`. */
  readonly cgroupsPath?: string | undefined;
  /** Of which those that the configuration allows change it. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The request as that for a first container of the CRI, of which nothing but the sandbox is made. */
export function emptySandbox(request: SandboxRequest): BundleRequest {
  const id = parseContainerId(request.id);
  const { networkNamespace = "", hostname = "", cgroupsPath, annotations = {} } = request;
  const spec: RuntimeSpec = {
    ociVersion: OCI_VERSION,
    hostname,
    annotations: {
      ...annotations,
      "io.kubernetes.cri.container-type": "sandbox",
      "io.kubernetes.cri.sandbox-id": id,
    },
    linux: {
      namespaces: [{ type: "network", path: networkNamespace }],
      ...(cgroupsPath === undefined ? {} : { cgroupsPath }),
    },
  };
  return { id, bundle: { path: "", rootfs: "", spec }, oneOutput: false, withoutContainer: true };
}
