import type { StdioRequest, TaskStdio } from "../stdio/stdio.ts";
import type { Exit, PodProcess } from "./pod.ts";
import { wrongState } from "./refusals.ts";
import { connectStreams, dropOutputUnlessEnded } from "./streams.ts";

export type ProcessStatus = "created" | "running" | "stopped";

interface Size {
  readonly rows: number;
  readonly columns: number;
}

const SIGKILL = 9;

/** A process as containerd knows it: a container's first one, or one of exec, which exists before its guest's does. */
export class TaskProcess {
  readonly request: StdioRequest;
  /** Resolves when it has ended, and all that is to be told before has been told. */
  readonly ended: Promise<Exit>;
  readonly #ended: PromiseWithResolvers<Exit> = Promise.withResolvers();
  #status: ProcessStatus = "created";
  #exit: Exit | undefined;
  #process: PodProcess | undefined;
  #stdio: TaskStdio | undefined;
  #size: Size | undefined;
  #inputIsClosed = false;
  #starting: Promise<void> | undefined;

  constructor(request: StdioRequest) {
    this.request = request;
    this.ended = this.#ended.promise;
  }

  get status(): ProcessStatus {
    return this.#status;
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** 0 before there is one. */
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Connects it with the guest's process. @param onExit called before `ended` resolves */
  attach(process: PodProcess, stdio: TaskStdio, onExit: (exit: Exit) => void): void {
    this.#process = process;
    this.#stdio = stdio;
    if (this.#size !== undefined) process.resize(this.#size);
    if (this.#inputIsClosed) stdio.closeStdin();
    void connectStreams(process, stdio).then(async (exit) => {
      // Its start is told before its end.
      await this.settled();
      this.#exit = exit;
      this.#status = "stopped";
      onExit(exit);
      this.#ended.resolve(exit);
    });
  }

  /** @param start returns once the start was told of @throws RpcError unless it was only created */
  async start(start: () => Promise<void>): Promise<void> {
    if (this.#status !== "created" || this.#starting !== undefined) {
      throw wrongState(`cannot start a process that is ${this.#status}`);
    }
    this.#starting = start();
    try {
      await this.#starting;
      this.#markRunning();
    } finally {
      this.#starting = undefined;
    }
  }

  /** Resolves once no start is under way, however it went. */
  async settled(): Promise<void> {
    await this.#starting?.catch(() => undefined);
  }

  /** As `settled`, but no longer than the time. @returns whether none is under way */
  async settledWithin(milliseconds: number): Promise<boolean> {
    if (this.#starting === undefined) return true;
    const late = Promise.withResolvers<false>();
    const timer = setTimeout(() => {
      late.resolve(false);
    }, milliseconds);
    try {
      return await Promise.race([this.settled().then(() => true), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #markRunning(): void {
    if (this.#status === "created") this.#status = "running";
  }

  resize(size: Size): void {
    this.#size = size;
    this.#process?.resize(size);
  }

  closeStdin(): void {
    this.#inputIsClosed = true;
    this.#stdio?.closeStdin();
  }

  /** To be called with each signal that was sent. */
  signalled(signal: number): void {
    if (signal === SIGKILL && this.#process !== undefined) void dropOutputUnlessEnded(this.#process);
  }

  async close(): Promise<void> {
    await this.#stdio?.close();
  }
}
