import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { TtrpcCaller, unixSocket } from "@kata-ts/agent-protocol/ttrpc";
import type { Containerd } from "./containerd.ts";

const SOCKETS = "/run/containerd/s";
const DEADLINE_MS = 30_000;

/** Command lines of the programs of ours that run on this host, and of the VMs' own. */
export function ourProcesses(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").join(" ");
        const [, program] =
          /(qemu-system|virtiofsd|kata-proxy|kata-shim|kata-runtime|containerd-shim-kata-v2)/.exec(command) ?? [];
        return program === undefined ? [] : [program];
      } catch {
        return [];
      }
    })
    .sort();
}

/** Sockets of shims, of whatever kind. */
export function shimSockets(): string[] {
  try {
    return readdirSync(SOCKETS).sort();
  } catch {
    return [];
  }
}

/** The process that serves a container, as containerd has been told of it. */
export class ShimProcess {
  readonly pid: number;
  readonly #socket: string;

  constructor(containerd: Containerd, id: string) {
    const bundle = join("state", "io.containerd.runtime.v2.task", "k8s.io", id);
    this.#socket = containerd.read(join(bundle, "address")).replace("unix://", "");
    this.pid = Number(containerd.read(join(bundle, "shim.pid")));
  }

  /** A call of a client that is not containerd. @returns the encoded reply */
  async call(method: string, request: Uint8Array): Promise<Uint8Array> {
    const caller = new TtrpcCaller(unixSocket(`unix://${this.#socket}`));
    try {
      const path = `/containerd.task.v2.Task/${method}`;
      const expiresAt = performance.now() + DEADLINE_MS;
      return await caller.call({ path, request, expiresAt, signal: undefined, waitForReady: false });
    } finally {
      caller.close();
    }
  }

  /** Sends what is no ttrpc. Resolves when the connection has been ended for it. */
  sendGarbage(garbage: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(this.#socket, () => socket.write(garbage));
      socket.on("error", () => undefined);
      socket.once("close", () => {
        resolve();
      });
      socket.resume();
    });
  }
}
