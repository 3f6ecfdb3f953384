import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { identifyProcess, inNewNamespace, inOwnMountNamespace, LinuxError, type ProcessIdentity } from "@kata-ts/linux";
import { inNetworkNamespace } from "@kata-ts/netns";
import { encodeTarget, encodeUser, giveContainerView, SHIM_CONNECTED, SHIM_READY } from "@kata-ts/shim";
import { leaveToHost } from "../container/rootfs-device.ts";
import { KataError } from "../errors.ts";
import type { Shim, ShimRequest, Shims, ShimTarget } from "../ports/shims.ts";

const CONNECT_DEADLINE_MS = 30_000;

export interface ExternalShimsOptions {
  /** Absolute path of kata-shim. */
  readonly path: string;
}

/**
 * One kata-shim process per guest process, a child of this one, so that it falls to the engine's reaper. It alone keeps
 * our descriptors 0 to 2.
 */
export class ExternalShims implements Shims {
  readonly #path: string;

  constructor(options: ExternalShimsOptions) {
    this.#path = options.path;
  }

  launch(request: ShimRequest): Shim {
    const args = ["-container", request.containerId, "-exec-id", request.execId, "-control-fd", "3"];
    if (request.rootfs !== undefined) args.push("-in-container");
    args.push(...terminalArgs(request.terminal), ...outputArgs(request.output));
    // With a console socket our descriptors 1 and 2 are the engine's capture pipe: no child may keep them.
    const isInherited = request.terminal?.consoleSocket === undefined && request.withoutStreams !== true;
    const streams = isInherited ? "inherit" : "ignore";
    const child = spawnInNamespaces(request, () =>
      spawn(this.#path, args, { stdio: [streams, streams, streams, "pipe"], detached: true, cwd: "/", env: {} }),
    );
    const control = child.stdio[3] as Socket | null;
    if (child.pid === undefined || control === null) {
      child.on("error", () => undefined);
      throw new KataError("KATA_SHIM", `${this.#path} could not be started`, {
        hint: "check the installation's libexec",
      });
    }
    return new ShimProcess(child, control, identifyProcess(child.pid), request);
  }
}

function terminalArgs(terminal: ShimRequest["terminal"]): string[] {
  if (terminal === undefined) return [];
  const args = ["-terminal"];
  if (terminal.consoleSocket !== undefined) args.push("-console-socket", terminal.consoleSocket);
  if (terminal.size !== undefined) {
    args.push("-console-size", `${String(terminal.size.rows)}x${String(terminal.size.columns)}`);
  }
  return args;
}

function outputArgs(output: ShimRequest["output"]): string[] {
  if (output === undefined) return [];
  const { path, maxBytes, maxFiles } = output;
  return ["-output-file", path, "-output-bytes", String(maxBytes), "-output-files", String(maxFiles)];
}

/**
 * The container's shim is process 1 of a pid namespace, in the pod's network namespace, and in a mount namespace whose root
 * the container's files become. Exec shims stay outside that pid namespace: when its process 1 ends, the kernel would kill
 * them with output still undelivered.
 */
function spawnInNamespaces(request: ShimRequest, start: () => ChildProcess): ChildProcess {
  const { networkNamespace, rootfs } = request;
  const inNetwork = networkNamespace === undefined ? start : () => inNetworkNamespace(networkNamespace, start);
  if (rootfs === undefined) return inNetwork();
  return inNewNamespace("pid", () =>
    inOwnMountNamespace(() => {
      leaveToHost(rootfs);
      return inNetwork();
    }),
  );
}

class ShimProcess implements Shim {
  readonly identity: ProcessIdentity;
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  readonly #control: Socket;
  readonly #request: ShimRequest;

  constructor(child: ChildProcess, control: Socket, identity: ProcessIdentity, request: ShimRequest) {
    this.identity = identity;
    this.#child = child;
    this.#control = control;
    this.#request = request;
    control.on("error", () => undefined);
    this.exited = new Promise((resolve) => {
      child.once("exit", (code) => {
        resolve(code ?? 255);
      });
    });
  }

  async connect(target: ShimTarget): Promise<void> {
    this.#control.write(encodeTarget(target));
    const timer = setTimeout(() => this.#control.destroy(), CONNECT_DEADLINE_MS);
    try {
      const answer = await this.#answers(target.user);
      if (answer === SHIM_READY) {
        // The kernel closes the pipe when this process exits.
        if (this.#request.detached === true) this.#control.unref();
        else this.#control.destroy();
        return;
      }
      const reason = answer === "" ? "it ended, or did not answer in time" : answer;
      throw new KataError("KATA_SHIM", `kata-shim did not take over: ${reason}`);
    } finally {
      clearTimeout(timer);
    }
  }

  kill(): void {
    this.#control.destroy();
    this.#child.kill("SIGKILL");
  }

  /** @returns its last line */
  async #answers(user: number | undefined): Promise<string> {
    let text = "";
    try {
      for await (const chunk of this.#control.iterator({ destroyOnReturn: false })) {
        text += String(chunk);
        if (text === `${SHIM_READY}\n`) break;
        if (text !== `${SHIM_CONNECTED}\n`) continue;
        text = "";
        const { rootfs } = this.#request;
        if (rootfs !== undefined) giveContainerView(this.identity.pid, rootfs);
        this.#control.write(encodeUser(user));
      }
    } catch (error) {
      // Its pipe was closed: it was too late, or has ended.
      if (error instanceof LinuxError) throw error;
    }
    return text.trim();
  }
}
