import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { join } from "node:path";
import {
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServiceError,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type AgentRpcs, agentRpcs, type ExtensionRpcs, extensionRpcs } from "@kata-ts/agent-protocol";
import { bootId, identifyProcess } from "@kata-ts/linux";
import { runningRecord } from "@kata-ts/virtcontainers/testing";
import type { Kata } from "./kata.ts";

type RpcName = keyof AgentRpcs | keyof ExtensionRpcs;

/** The bytes of a reply, or an error's status and words; never resolving is a lie, too. */
export type Lie = () => Buffer | Promise<Buffer>;

const PREFACE = Buffer.from("KATATS/1");

/**
 * A container whose VM is an idle process, and whose agent says whatever a test wants: the runtime meets it where it
 * meets kata-proxy. What is not lied about is UNIMPLEMENTED.
 */
export class LyingAgent implements AsyncDisposable {
  readonly id = "lied-to";
  readonly #vm: ChildProcess;
  readonly #server: Server;
  readonly #front: NetServer;

  private constructor(vm: ChildProcess, server: Server, front: NetServer) {
    this.#vm = vm;
    this.#server = server;
    this.#front = front;
  }

  /** @param onStream what is done to a process's own stream, once its preface has come */
  static async start(
    kata: Kata,
    lies: Readonly<Partial<Record<RpcName, Lie>>>,
    onStream: (stream: Socket) => void = (stream) => stream.destroy(),
  ): Promise<LyingAgent> {
    const vm = spawn("/bin/sleep", ["1000"], { stdio: "ignore" });
    const server = new Server();
    server.addService(...lyingService(lies));
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    const front = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (head: Buffer) => {
        if (head.subarray(0, PREFACE.length).equals(PREFACE)) {
          onStream(socket);
          return;
        }
        socket.pause();
        socket.unshift(head);
        injector.injectConnection(socket);
      });
    });
    front.listen(join(kata.directory, "proxy.sock"));
    await once(front, "listening");
    const agent = new LyingAgent(vm, server, front);
    agent.#record(kata);
    return agent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#vm.kill("SIGKILL");
    this.#server.forceShutdown();
    this.#front.close();
    await once(this.#vm, "exit");
  }

  #record({ root, directory }: Kata): void {
    const vm = identifyProcess(this.#vm.pid ?? 0);
    const agentUrl = `unix://${join(directory, "proxy.sock")}`;
    const record = runningRecord(this.id, { directory, agentUrl, process: vm, bootId: bootId() });
    mkdirSync(join(root, this.id), { recursive: true, mode: 0o700 });
    writeFileSync(join(root, this.id, "kata.json"), JSON.stringify(record));
    const process = { args: ["true"], cwd: "/", env: [], user: { uid: 0, gid: 0 } };
    writeFileSync(
      join(directory, "config.json"),
      JSON.stringify({ ociVersion: "1.0.2", process, root: { path: "." } }),
    );
  }
}

function lyingService(
  lies: Readonly<Partial<Record<RpcName, Lie>>>,
): [Record<string, MethodDefinition<Buffer, Buffer>>, UntypedServiceImplementation] {
  const all: Readonly<Record<string, { readonly path: string }>> = { ...agentRpcs, ...extensionRpcs };
  const service: Record<string, MethodDefinition<Buffer, Buffer>> = {};
  const implementation: UntypedServiceImplementation = {};
  const asIs = (bytes: Buffer): Buffer => bytes;
  for (const [name, lie] of Object.entries(lies)) {
    service[name] = {
      path: all[name]?.path ?? "",
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    implementation[name] = (_call: unknown, answer: sendUnaryData<Buffer>) => {
      Promise.resolve()
        .then(lie)
        .then(
          (reply) => {
            answer(null, reply);
          },
          (error: unknown) => {
            answer(error as ServiceError);
          },
        );
    };
  }
  return [service, implementation];
}
