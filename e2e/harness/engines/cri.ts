import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import protobuf from "protobufjs";

const RuntimeService = new protobuf.Root()
  .loadSync(join(import.meta.dirname, "cri.proto"), { keepCase: true })
  .resolveAll()
  .lookupService("runtime.v1.RuntimeService");

const DEADLINE_MS = 120_000;

/** What a CRI call answers: the fields of its message, with their defaults. */
export type CriAnswer = Record<string, unknown>;

/** A client of the Container Runtime Interface, over gRPC as the kubelet's. */
export class CriClient implements Disposable {
  readonly #client: Client;

  constructor(socket: string) {
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure());
  }

  /** @param name of the RPC, such as `RunPodSandbox` */
  call<T extends object = CriAnswer>(name: string, request: object): Promise<T> {
    const method = RuntimeService.methods[name];
    const [from, to] = [method?.resolvedRequestType, method?.resolvedResponseType];
    if (!from || !to) throw new Error(`cri.proto has no ${name}`);
    const encode = (message: object): Buffer => Buffer.from(from.encode(from.fromObject(message)).finish());
    const decode = (bytes: Buffer): T =>
      to.toObject(to.decode(bytes), { longs: Number, bytes: Buffer, defaults: true }) as T;
    const path = `/runtime.v1.RuntimeService/${name}`;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#client.makeUnaryRequest(
      path,
      encode,
      decode,
      request,
      { deadline: Date.now() + DEADLINE_MS },
      (error, answer) => {
        if (error === null && answer !== undefined) resolve(answer);
        else reject(error ?? new Error(`${name} answered nothing`));
      },
    );
    return promise;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
