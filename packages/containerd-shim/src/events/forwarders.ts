import { spawn } from "node:child_process";
import { once } from "node:events";
import { TtrpcCaller, unixSocket } from "@kata-ts/agent-protocol/ttrpc";
import { containerd, google } from "#gen/containerd";
import { anyOf } from "../any.ts";
import { timestampOf } from "../timestamp.ts";
import type { TaskEvent } from "./task-events.ts";

/** An event with the moment at which it happened. */
export interface Happened {
  readonly event: TaskEvent;
  readonly at: Date;
}

/** Takes events to containerd, one at a time. */
export interface Forwarder extends Disposable {
  /** Rejects when containerd did not take it. */
  forward(happened: Happened): Promise<void>;
}

const FORWARD = "/containerd.services.events.ttrpc.v1.Events/Forward";
const DEADLINE_MS = 5_000;

/** Over one connection to containerd's socket for ttrpc, which is made again after a restart of containerd. */
export class TtrpcForwarder implements Forwarder {
  readonly #caller: TtrpcCaller;
  readonly #namespace: string;

  constructor(socket: string, namespace: string) {
    this.#caller = new TtrpcCaller(unixSocket(`unix://${socket}`), false);
    this.#namespace = namespace;
  }

  async forward({ event, at }: Happened): Promise<void> {
    const { ForwardRequest } = containerd.services.events.ttrpc.v1;
    const envelope = {
      timestamp: timestampOf(at),
      namespace: this.#namespace,
      topic: event.topic,
      event: anyOf(event.type, event.message),
    };
    const request = ForwardRequest.encode({ envelope }).finish();
    const expiresAt = performance.now() + DEADLINE_MS;
    await this.#caller.call({ path: FORWARD, request, expiresAt, signal: undefined, waitForReady: false });
  }

  [Symbol.dispose](): void {
    this.#caller.close();
  }
}

/** By a call of the containerd program for each: for a containerd that has not said where its socket for ttrpc is. */
export class ProgramForwarder implements Forwarder {
  readonly #program: string;
  readonly #address: string;
  readonly #namespace: string;

  constructor(program: string, address: string, namespace: string) {
    this.#program = program;
    this.#address = address;
    this.#namespace = namespace;
  }

  async forward({ event }: Happened): Promise<void> {
    const args = ["--address", this.#address, "publish", "--topic", event.topic, "--namespace", this.#namespace];
    const child = spawn(this.#program, args, { stdio: ["pipe", "ignore", "ignore"], timeout: DEADLINE_MS });
    child.stdin.on("error", () => undefined);
    child.stdin.end(google.protobuf.Any.encode(anyOf(event.type, event.message)).finish());
    const [code] = (await once(child, "exit")) as [number | null];
    if (code !== 0) throw new Error(`${this.#program} publish ended with ${String(code)}`);
  }

  [Symbol.dispose](): void {
    // Each call of the program has ended.
  }
}
