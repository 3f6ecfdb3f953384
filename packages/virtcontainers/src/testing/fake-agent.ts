import {
  type AgentHandlers,
  AgentRpcError,
  type CallContext,
  endOfStream,
  grpc,
  type RpcName,
  RpcStatus,
  rpcs,
} from "@kata-ts/agent-protocol";
import type { GuestInterface } from "../network/guest-view.ts";
import type { Agent } from "../ports/agent.ts";

/** What a shim exits with that has lost its guest. */
const GUEST_LOST = 255;

/** What a fake process does when it is started. */
export interface FakeProgram {
  readonly stdout?: string;
  /** Ends with this status at once; absent: runs until it is signalled. */
  readonly status?: number;
}

interface FakeContainer {
  started: boolean;
  paused: boolean;
  unread: string;
  readonly exited: PromiseWithResolvers<number>;
}

/**
 * A guest without a guest: an Agent that keeps the rules of the contract for sandboxes, containers and their first
 * processes. It passes the same compliance suite as the real one.
 */
export class FakeAgent {
  /** Every call so far, by name. */
  readonly calls: RpcName[] = [];
  /** Calls that are to fail, with what. */
  readonly failures: Map<RpcName, Error> = new Map();
  /** The interfaces that it was asked to set up, by the place of their card. */
  readonly interfaces: Map<string, GuestInterface> = new Map();
  readonly #program: FakeProgram;
  readonly #containers: Map<string, FakeContainer> = new Map();
  #sandbox = false;

  constructor(program: FakeProgram = {}) {
    this.#program = program;
  }

  /** The client's side: what `connectAgent` would return. */
  connect(): Agent {
    const { handlers } = this;
    const entries = (Object.keys(rpcs) as RpcName[]).map((name) => [name, this.#caller(name, handlers)]);
    const close = (): void => undefined;
    return { ...Object.fromEntries(entries), close, [Symbol.dispose]: close } as Agent;
  }

  #caller(name: RpcName, handlers: AgentHandlers): (request: object) => Promise<object> {
    const handler = handlers[name] as ((request: object, context: CallContext) => Promise<object>) | undefined;
    return async (request) => {
      this.calls.push(name);
      const failure = this.failures.get(name);
      if (failure !== undefined) throw failure;
      if (handler === undefined) {
        throw new AgentRpcError(RpcStatus.Unimplemented, `${rpcs[name].path} is not served by this agent`);
      }
      return handler(
        { container_id: "", exec_id: "", signal: 0, ...request },
        { signal: new AbortController().signal },
      );
    };
  }

  /** Its guest is over, and so are all processes. */
  end(): void {
    this.#sandbox = false;
    for (const { exited } of this.#containers.values()) exited.resolve(GUEST_LOST);
    this.#containers.clear();
  }

  /** Its containers whose processes stand still. */
  get paused(): string[] {
    return [...this.#containers].filter(([, { paused }]) => paused).map(([id]) => id);
  }

  /** The server's side, for an agent server. */
  get handlers(): AgentHandlers {
    return {
      check: async () => ({ status: grpc.HealthCheckResponse.ServingStatus.SERVING }),
      version: async () => ({ grpc_version: "0.0.1", agent_version: "fake" }),
      createSandbox: async () => {
        if (this.#sandbox) throw new AgentRpcError(RpcStatus.AlreadyExists, "Sandbox already started");
        this.#sandbox = true;
        return {};
      },
      destroySandbox: async () => {
        this.end();
        return {};
      },
      updateInterface: async ({ interface: wanted }) => {
        if (wanted === null || wanted === undefined) throw new AgentRpcError(RpcStatus.InvalidArgument, "No interface");
        this.interfaces.set(wanted.pciPath ?? "", wanted);
        return wanted;
      },
      updateRoutes: async ({ routes }) => routes ?? {},
      addARPNeighbors: async () => ({}),
      reseedRandomDev: async () => ({}),
      setGuestDateTime: async () => ({}),
      onlineCPUMem: async () => ({}),
      createContainer: async ({ container_id }) => {
        if (!this.#sandbox) throw new AgentRpcError(RpcStatus.FailedPrecondition, "Sandbox not started");
        if (this.#containers.has(container_id)) throw new AgentRpcError(RpcStatus.AlreadyExists, "Container exists");
        const exited = Promise.withResolvers<number>();
        this.#containers.set(container_id, {
          started: false,
          paused: false,
          unread: this.#program.stdout ?? "",
          exited,
        });
        return {};
      },
      startContainer: async ({ container_id }) => {
        const container = this.#container(container_id);
        container.started = true;
        if (this.#program.status !== undefined) container.exited.resolve(this.#program.status);
        return {};
      },
      signalProcess: async ({ container_id, signal }) => {
        this.#container(container_id).exited.resolve(128 + signal);
        return {};
      },
      waitProcess: async ({ container_id }) => ({ status: await this.#container(container_id).exited.promise }),
      readStdout: async ({ container_id }) => this.#read(container_id),
      readStderr: async ({ container_id }) => {
        await this.#container(container_id).exited.promise;
        throw endOfStream();
      },
      closeStdin: async () => ({}),
      writeStdin: async ({ data }) => ({ len: data.length }),
      pauseContainer: async ({ container_id }) => {
        this.#container(container_id).paused = true;
        return {};
      },
      resumeContainer: async ({ container_id }) => {
        this.#container(container_id).paused = false;
        return {};
      },
      updateContainer: async ({ container_id }) => {
        this.#container(container_id);
        return {};
      },
      removeContainer: async ({ container_id }) => {
        this.#container(container_id);
        this.#containers.delete(container_id);
        return {};
      },
    };
  }

  async #read(id: string): Promise<{ data: Buffer }> {
    const container = this.#container(id);
    if (container.started && container.unread !== "") {
      const data = Buffer.from(container.unread);
      container.unread = "";
      return { data };
    }
    await container.exited.promise;
    throw endOfStream();
  }

  #container(id: string): FakeContainer {
    const container = this.#containers.get(id);
    if (container === undefined) throw new AgentRpcError(RpcStatus.NotFound, `Container ${id} not found`);
    return container;
  }
}
