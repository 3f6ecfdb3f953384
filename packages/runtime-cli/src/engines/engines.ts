import { type ContainerdShim, containerdSnippet, removeContainerd, writeContainerd } from "./containerd.ts";
import { dockerSnippet, removeDocker, writeDocker } from "./docker.ts";
import { kubernetesSnippet } from "./kubernetes.ts";
import { crioSnippet, podmanSnippet, removeOwnFile, writeOwnFile } from "./own-file.ts";

/** An engine's configuration on this machine. */
interface EnginePlace {
  readonly file: string;
  /** The engine's own program, which checks what would be written. */
  readonly program: string;
}

/** Adds this runtime to an engine's configuration. */
export interface Engine {
  /** Where its configuration usually is. */
  readonly file: string;
  readonly program: string;
  /** What it has to be told. @param runtime absolute path of kata-runtime */
  readonly snippet: (runtime: string, file: string, shim?: ContainerdShim) => string;
  /** What else is to be done, for people. */
  readonly afterWrite: string;
  readonly write: (place: EnginePlace, runtime: string, shim?: ContainerdShim) => Promise<void>;
  /** @returns whether there was anything to take out */
  readonly remove: (place: EnginePlace, runtime: string) => Promise<boolean>;
}

/** podman and CRI-O cannot be asked without a change of their storage: their files hold nothing but our runtime. */
function withOwnFile(snippet: (runtime: string) => string): Pick<Engine, "snippet" | "write" | "remove"> {
  return {
    snippet,
    write: ({ file }, runtime) => writeOwnFile(file, snippet(runtime)),
    remove: ({ file }, runtime) => Promise.resolve(removeOwnFile(file, snippet(runtime))),
  };
}

export const ENGINES: Readonly<Record<string, Engine>> = {
  docker: {
    file: "/etc/docker/daemon.json",
    program: "dockerd",
    snippet: dockerSnippet,
    afterWrite: "restart dockerd, then: docker run --runtime kata …",
    write: writeDocker,
    remove: removeDocker,
  },
  containerd: {
    file: "/etc/containerd/config.toml",
    program: "containerd",
    snippet: containerdSnippet,
    afterWrite: "restart containerd",
    write: writeContainerd,
    remove: removeContainerd,
  },
  crio: {
    file: "/etc/crio/crio.conf.d/50-kata-ts.conf",
    program: "crio",
    afterWrite: "restart CRI-O",
    ...withOwnFile(crioSnippet),
  },
  podman: {
    file: "/etc/containers/containers.conf.d/50-kata-ts.conf",
    program: "podman",
    afterWrite: "podman --runtime kata run …",
    ...withOwnFile(podmanSnippet),
  },
};

/** What is printed for each name; Kubernetes has no file of its own. */
export const SNIPPETS: Readonly<Record<string, Engine["snippet"]>> = {
  ...Object.fromEntries(Object.entries(ENGINES).map(([name, { snippet }]) => [name, snippet])),
  kubernetes: kubernetesSnippet,
};
