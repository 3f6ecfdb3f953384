import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import type { Socket } from "node:net";
import { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { RpcError, RpcStatus } from "@kata-ts/agent-protocol/ttrpc";
import { createPipe, openPollable, type PipeEnds } from "@kata-ts/linux";

/** How long a logger may take to say that it is ready, and to end once its inputs have: containerd's own limits. */
const READY_DEADLINE_MS = 10_000;
const END_DEADLINE_MS = 10_000;

export interface LoggedContainer {
  readonly id: string;
  readonly namespace: string;
}

/**
 * A program that takes a process's outputs, as containerd's `binary://PATH?KEY=VALUE` says: descriptors 3 and 4 are the
 * outputs, and it closes 5 once it is ready. It ends when its inputs do.
 */
export class LoggerProgram {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess, stdout: Socket, stderr: Socket) {
    this.#child = child;
    this.#ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : Promise.resolve();
    this.stdout = intoPipe(stdout);
    this.stderr = intoPipe(stderr);
  }

  /** @throws RpcError when it cannot be started, or is not ready in time */
  static async start(url: URL, container: LoggedContainer): Promise<LoggerProgram> {
    const pipes = { stdout: createPipe(), stderr: createPipe(), ready: createPipe() };
    const args = [...url.searchParams].flatMap(([key, value]) => (value === "" ? [key] : [key, value]));
    const child = spawn(url.pathname, args, {
      stdio: ["ignore", "ignore", "ignore", pipes.stdout.read, pipes.stderr.read, pipes.ready.write],
      env: { CONTAINER_ID: container.id, CONTAINER_NAMESPACE: container.namespace },
      cwd: "/",
    });
    const failed: Promise<string> = new Promise((resolve) => {
      child.once("error", (error) => {
        resolve(error.message);
      });
    });
    for (const fd of [pipes.stdout.read, pipes.stderr.read, pipes.ready.write]) closeSync(fd);
    const outputs = [pipes.stdout, pipes.stderr].map(writerOf);
    const why = await Promise.race([failed, closed(pipes.ready), late()]);
    const [stdout, stderr] = outputs;
    if (why !== undefined || stdout === undefined || stderr === undefined) {
      for (const output of outputs) output.destroy();
      child.kill("SIGKILL");
      throw new RpcError(RpcStatus.FailedPrecondition, `the logger ${url.pathname} is not ready: ${why ?? ""}`);
    }
    return new LoggerProgram(child, stdout, stderr);
  }

  /** Lets it write what it has; one that does not end then is killed. */
  async close(): Promise<void> {
    for (const output of [this.stdout, this.stderr]) output.destroy();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), END_DEADLINE_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}

function writerOf({ write }: PipeEnds): Socket {
  return openPollable(write, { readable: false, writable: true });
}

/** Resolves with undefined once the other end is closed. */
async function closed({ read }: PipeEnds): Promise<undefined> {
  const stream = openPollable(read, { readable: true, writable: false });
  stream.on("error", () => undefined).resume();
  await once(stream, "close");
  return undefined;
}

async function late(): Promise<string> {
  await delay(READY_DEADLINE_MS, undefined, { ref: false });
  return `it has not closed its descriptor 5 within ${String(READY_DEADLINE_MS / 1000)} s`;
}

/** The end of a socket's stream would be waited for; a pipe's is its closing. */
function intoPipe(socket: Socket): Writable {
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      socket.write(chunk, done);
    },
    final: (done) => {
      socket.destroy();
      done();
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("error", (error) => output.destroy(error));
  return output;
}
