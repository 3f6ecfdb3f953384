import { type ChildProcess, spawn } from "node:child_process";
import { identifyProcess, type ProcessIdentity } from "@kata-ts/linux";
import { inNetworkNamespace } from "@kata-ts/netns";
import { type GuestProcess, PolledProcess, StreamedProcess, type Target } from "@kata-ts/shim";
import { KataError, reasonOf } from "../errors.ts";
import type { ConnectAgent } from "../ports/agent.ts";
import type { Shim, ShimRequest, Shims } from "../ports/shims.ts";

/** The status of a process whose guest was lost: kata-shim exits with it, too. */
const GUEST_LOST = 255;
const KILLED = 137;

/** This process stands in for the guest's processes, and opens their streams: for a program that owns its VM. */
export class LocalShims implements Shims {
  readonly #connectAgent: ConnectAgent;

  constructor(connectAgent: ConnectAgent) {
    this.#connectAgent = connectAgent;
  }

  launch(request: ShimRequest): LocalShim {
    return new LocalShim(request, this.#connectAgent);
  }
}

/** A process of the guest, with its streams in this process. */
export class LocalShim implements Shim {
  readonly identity: ProcessIdentity = identifyProcess(process.pid);
  readonly isShared = true;
  readonly exited: Promise<number>;
  readonly #request: ShimRequest;
  readonly #connectAgent: ConnectAgent;
  readonly #exited: PromiseWithResolvers<number> = Promise.withResolvers();
  readonly #hookProcess: ChildProcess | undefined;
  #guest: GuestProcess | undefined;
  #isLost = false;

  constructor(request: ShimRequest, connectAgent: ConnectAgent) {
    this.#request = request;
    this.#connectAgent = connectAgent;
    this.exited = this.#exited.promise;
    this.#hookProcess = startHookProcess(request);
  }

  get hookProcess(): ProcessIdentity | undefined {
    const pid = this.#hookProcess?.pid;
    return pid === undefined ? undefined : identifyProcess(pid);
  }

  /** Absent until `connect` has returned. */
  get guest(): GuestProcess | undefined {
    return this.#guest;
  }

  /** Whether the guest went away before the process ended: its status is not known. */
  get isLost(): boolean {
    return this.#isLost;
  }

  async connect(target: Target): Promise<void> {
    const guest = await this.#open(target);
    // A guest that is lost ends the streams with an error, which `exited` stands for.
    for (const stream of [guest.stdin, guest.stdout, guest.stderr]) stream.on("error", () => undefined);
    this.#guest = guest;
    this.#hookProcess?.stdin?.end();
    this.#statusOf(guest, target.token !== undefined).then(this.#exited.resolve, () => {
      this.#isLost = true;
      this.#exited.resolve(GUEST_LOST);
    });
  }

  kill(): void {
    this.#exited.resolve(KILLED);
    this.#hookProcess?.stdin?.end();
    this.#guest?.[Symbol.dispose]();
  }

  async #open({ agent: url, token }: Target): Promise<GuestProcess> {
    try {
      return token === undefined ? this.#poll(url) : await StreamedProcess.open(url, token);
    } catch (error) {
      const { containerId } = this.#request;
      const message = `the streams of a process of container ${containerId} cannot be opened: ${reasonOf(error)}`;
      throw new KataError("KATA_SHIM", message, {
        cause: error,
        hint: "`kata-runtime logs` says how its VM has ended",
      });
    }
  }

  #poll(url: string): PolledProcess {
    const { containerId, execId } = this.#request;
    const agent = this.#connectAgent(url);
    return new PolledProcess(agent, { containerId, execId }, () => {
      agent.close();
    });
  }

  /** By the 1.x contract the status takes the output with it, which therefore comes first. */
  async #statusOf(guest: GuestProcess, hasStream: boolean): Promise<number> {
    if (!hasStream) await Promise.all([closed(guest.stdout), closed(guest.stderr)]);
    return guest.wait();
  }
}

/**
 * Hooks such as Docker's and nerdctl's set up the network of the process that they are told, which must not be this
 * one: it lives in the host's. The process ends with its input, also when this one is killed.
 */
function startHookProcess({ hasHooks = false, networkNamespace }: ShimRequest): ChildProcess | undefined {
  if (!hasHooks || networkNamespace === undefined) return undefined;
  const start = (): ChildProcess => spawn("/bin/cat", { stdio: ["pipe", "ignore", "ignore"], cwd: "/", env: {} });
  const holder = inNetworkNamespace(networkNamespace, start);
  holder.on("error", () => undefined);
  holder.stdin?.on("error", () => undefined);
  return holder;
}

function closed(stream: GuestProcess["stdout"]): Promise<void> {
  return new Promise((resolve) => {
    stream.once("close", resolve);
  });
}
