import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { type Call, type Caller, MAX_REPLY_BYTES } from "../../src/rpc/caller.ts";
import { AgentRpcError } from "../../src/rpc/errors.ts";

/** Calls by grpc-js: what others call an agent with. */
export class GrpcJsCaller implements Caller {
  readonly #client: Client;

  /** @param path of a unix socket */
  constructor(path: string) {
    this.#client = new Client(`unix:${path}`, credentials.createInsecure(), {
      "grpc.max_receive_message_length": MAX_REPLY_BYTES,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_retries": 0,
    });
  }

  call({ path, request, expiresAt, signal }: Call): Promise<Uint8Array> {
    const deadline = expiresAt === undefined ? {} : { deadline: Date.now() + expiresAt - performance.now() };
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => bytes,
        request,
        new Metadata(),
        deadline,
        (error: ServiceError | null, reply?: Buffer) => {
          if (error === null) resolve(reply ?? Buffer.alloc(0));
          else reject(toRpcError(error, path));
        },
      );
      signal?.addEventListener("abort", () => {
        call.cancel();
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}

function toRpcError({ code, details }: ServiceError, rpc: string): AgentRpcError {
  return new AgentRpcError(code, details, { rpc });
}
