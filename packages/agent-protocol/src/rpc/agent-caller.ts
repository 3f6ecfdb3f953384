import { type Call, type Caller, withinLimits } from "./caller.ts";
import type { Connect } from "./reach.ts";
import { NotTtrpc, TtrpcCaller } from "./ttrpc/ttrpc-caller.ts";

/**
 * Calls an agent by ttrpc, which ours speaks, and by gRPC where it does not: every 1.x agent speaks that. Only then
 * gRPC's code is loaded.
 */
export class AgentCaller implements Caller {
  readonly #connect: Connect;
  readonly #keepsRunning: boolean;
  readonly #ttrpc: TtrpcCaller;
  #grpc: Promise<Caller> | undefined;
  #closed = false;

  /** @param keepsRunning whether open connections keep this process running */
  constructor(connect: Connect, keepsRunning: boolean) {
    this.#connect = connect;
    this.#keepsRunning = keepsRunning;
    this.#ttrpc = new TtrpcCaller(connect, keepsRunning);
  }

  async call(call: Call): Promise<Uint8Array> {
    if (this.#grpc === undefined) {
      try {
        return await this.#ttrpc.call(call);
      } catch (error) {
        if (!(error instanceof NotTtrpc)) throw error;
      }
    }
    return (await withinLimits(this.#useGrpc(), call)).call(call);
  }

  close(): void {
    this.#closed = true;
    this.#ttrpc.close();
    void this.#grpc?.then((caller) => {
      caller.close();
    });
  }

  #useGrpc(): Promise<Caller> {
    this.#grpc ??= import("./grpc/grpc-caller.ts").then(({ GrpcCaller }) => {
      const caller = new GrpcCaller(this.#connect, this.#keepsRunning);
      if (this.#closed) caller.close();
      return caller;
    });
    return this.#grpc;
  }
}
