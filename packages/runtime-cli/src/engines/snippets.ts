/** What an engine has to be told of this runtime, and where its configuration is looked for. */
export interface EngineSnippet {
  /** The usual place; undefined where there is none. */
  readonly file: string | undefined;
  readonly text: string;
  /** What else is to be done, for people. */
  readonly after: string;
}

export const ENGINES = ["docker", "containerd", "crio", "podman", "kubernetes"] as const;
export type Engine = (typeof ENGINES)[number];

const SNIPPETS: Readonly<Record<Engine, (runtime: string) => EngineSnippet>> = {
  docker: (runtime) => ({
    file: "/etc/docker/daemon.json",
    text: `${JSON.stringify({ runtimes: { kata: { path: runtime } } }, null, 2)}\n`,
    after: "restart dockerd, then: docker run --runtime kata …",
  }),
  containerd: (runtime) => ({
    file: "/etc/containerd/config.toml",
    text: `[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata]
  runtime_type = "io.containerd.runc.v2"
  privileged_without_host_devices = true
  pod_annotations = ["io.katacontainers.*"]
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata.options]
    BinaryName = ${JSON.stringify(runtime)}
`,
    after: "restart containerd",
  }),
  crio: (runtime) => ({
    file: "/etc/crio/crio.conf.d/50-kata-ts.conf",
    text: `[crio.runtime.runtimes.kata]
  runtime_path = ${JSON.stringify(runtime)}
  runtime_type = "oci"
  privileged_without_host_devices = true
`,
    after: "restart CRI-O",
  }),
  podman: (runtime) => ({
    file: "/etc/containers/containers.conf.d/50-kata-ts.conf",
    text: `[engine.runtimes]
kata = [${JSON.stringify(runtime)}]
`,
    after: "podman --runtime kata run …",
  }),
  kubernetes: () => ({
    file: undefined,
    text: `apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: kata
handler: kata
overhead:
  podFixed:
    memory: "2560Mi"
    cpu: "250m"
`,
    after: "kubectl apply it, then give pods runtimeClassName: kata",
  }),
};

/** @param runtime absolute path of kata-runtime */
export function engineSnippet(engine: Engine, runtime: string): EngineSnippet {
  return SNIPPETS[engine](runtime);
}

export function isEngine(name: string): name is Engine {
  return (ENGINES as readonly string[]).includes(name);
}
