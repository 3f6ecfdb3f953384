import { AgentRpcError, type FileFailure, type FileOperation, RpcStatus } from "@kata-ts/agent-protocol";
import { escapeControls } from "@kata-ts/linux";
import { anyObject, count, object, optional, parseShape, type Shape, text } from "@kata-ts/linux/shape";
import { type GuestProcess, StreamedProcess } from "@kata-ts/shim";
import { KataError, reasonOf } from "../../errors.ts";
import type { Agent } from "../../ports/agent.ts";
import { wrapAgentError } from "../../sandbox/wrap-agent-error.ts";
import { ContainerFileError } from "./file-error.ts";
import { linesOf } from "./lines.ts";

const failureShape: Shape<FileFailure> = object<FileFailure>({ errno: text, message: text });
interface Answer<T> {
  readonly value?: T | undefined;
  readonly failure?: FileFailure | undefined;
}

function answerWith<T>(value: Shape<T>): Shape<Answer<T>> {
  return object<Answer<T>>({ value: optional(value), failure: optional(failureShape) });
}

const answerShape = answerWith(anyObject);
const reportShape = object<{
  readonly entries?: number | undefined;
  readonly warning?: string | undefined;
  readonly failure?: FileFailure | undefined;
}>({
  entries: optional(count),
  warning: optional(text),
  failure: optional(failureShape),
});

const MAX_WARNINGS = 100;
const MAX_WARNING_LENGTH = 500;

/** What an operation's stream tells beside its bytes. */
export interface FileReports {
  /** Such as of what a tree has that could not be copied. */
  readonly onWarning?: ((message: string) => void) | undefined;
  readonly onEntries?: ((entries: number) => void) | undefined;
}

/** Where a container's files are reached. */
export interface FilesAccess {
  readonly id: string;
  readonly agent: Pick<Agent, "operateOnFiles">;
  /** As `dial` takes it. */
  readonly agentUrl: string;
  /** Does a call, which is known to be under way meanwhile. */
  readonly during: <T>(work: () => Promise<T>) => Promise<T>;
}

/** The calls that a container's files are reached by. */
export class FileCalls {
  readonly #access: FilesAccess;

  constructor(access: FilesAccess) {
    this.#access = access;
  }

  /** While a call is under way the program goes on. */
  during<T>(work: () => Promise<T>): Promise<T> {
    return this.#access.during(work);
  }

  /**
   * An operation that is answered at once.
   *
   * @param what for errors: `read /etc/hosts`
   * @param shape of the result
   * @throws ContainerFileError; KataError KATA_AGENT, KATA_UNSUPPORTED
   */
  async ask<T extends object>(
    what: string,
    operation: FileOperation,
    shape: Shape<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const { result } = await this.#call(what, operation, signal);
    const { value, failure } = parseAnswer(answerWith(shape), Buffer.from(result).toString());
    if (failure !== undefined) throw new ContainerFileError(what, operation.path, failure);
    if (value === undefined) throw new KataError("KATA_AGENT", `could not ${what}: the guest gave no result`);
    return value;
  }

  /**
   * An operation with a stream of its own: does with it what is to be done, and waits for its end.
   *
   * @throws as ask(); whatever `use` throws
   */
  async transfer<T>(
    what: string,
    operation: FileOperation,
    signal: AbortSignal,
    use: (guest: GuestProcess) => Promise<T>,
    reports: FileReports = {},
  ): Promise<T> {
    using opened = await this.open(what, operation, signal, reports);
    const used = await use(opened.guest);
    await opened.end();
    return used;
  }

  /** As transfer(), in the caller's hands: `end` is called when all output has been read. */
  async open(
    what: string,
    operation: FileOperation,
    signal: AbortSignal,
    reports: FileReports = {},
  ): Promise<OpenTransfer> {
    const { token, result } = await this.#call(what, operation, signal);
    if (token.length === 0) {
      const { failure } = parseAnswer(answerShape, Buffer.from(result).toString());
      throw new ContainerFileError(what, operation.path, failure ?? { errno: "", message: "the guest gave no stream" });
    }
    const guest = await this.#attach(what, token, signal);
    return new OpenTransfer(what, operation.path, guest, signal, reports);
  }

  async #attach(what: string, token: Uint8Array, signal: AbortSignal): Promise<GuestProcess> {
    try {
      return await StreamedProcess.open(this.#access.agentUrl, token, { signal });
    } catch (error) {
      signal.throwIfAborted();
      return await wrapAgentError(what, Promise.reject(error as Error));
    }
  }

  async #call(
    what: string,
    operation: FileOperation,
    signal: AbortSignal,
  ): Promise<{ result: Uint8Array; token: Uint8Array }> {
    const { agent, id } = this.#access;
    const request = { container_id: id, operation: Buffer.from(JSON.stringify(operation)) };
    try {
      return await agent.operateOnFiles(request, { signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AgentRpcError) || error.status !== RpcStatus.Unimplemented)
        return await wrapAgentError(what, Promise.reject(error as Error));
      throw new KataError("KATA_UNSUPPORTED", `could not ${what}: the guest's agent does not serve files`, {
        cause: error,
        hint: "it is one of Kata 1.x, or older than this library: use an image that this project makes",
      });
    }
  }
}

/** An operation on files whose stream is open. Disposing it ends the operation. */
export class OpenTransfer implements Disposable {
  readonly guest: GuestProcess;
  readonly #what: string;
  readonly #path: string;
  readonly #signal: AbortSignal;
  readonly #failure: Promise<FileFailure | undefined>;

  constructor(what: string, path: string, guest: GuestProcess, signal: AbortSignal, reports: FileReports) {
    this.#what = what;
    this.#path = path;
    this.guest = guest;
    this.#signal = signal;
    this.#failure = takeReports(guest.stderr as AsyncIterable<Buffer>, reports);
    this.#failure.catch(() => undefined);
    guest.stdin.on("error", () => undefined); // What ends early says why among its reports.
    signal.addEventListener("abort", this.#end, { once: true });
    if (signal.aborted) this.#end();
  }

  /** Waits for its end. @throws ContainerFileError for one that failed */
  async end(): Promise<void> {
    try {
      const failure = await this.#failure;
      const status = await this.guest.wait();
      if (failure !== undefined) throw new ContainerFileError(this.#what, this.#path, failure);
      if (status !== 0) throw new Error(`it ended with the status ${String(status)}, and no reason`);
    } catch (error) {
      this.#signal.throwIfAborted();
      await wrapAgentError(this.#what, Promise.reject(error as Error));
    }
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#end);
    this.#end();
  }

  readonly #end = (): void => {
    this.guest[Symbol.dispose]();
  };
}

/** Reads all reports. @returns why it failed, where it did */
async function takeReports(
  stream: AsyncIterable<Buffer>,
  { onWarning, onEntries }: FileReports,
): Promise<FileFailure | undefined> {
  let found: FileFailure | undefined;
  let warnings = 0;
  for await (const line of linesOf(stream)) {
    const { entries, warning, failure } = parseAnswer(reportShape, line);
    if (entries !== undefined) onEntries?.(entries);
    if (warning !== undefined && warnings++ < MAX_WARNINGS)
      onWarning?.(escapeControls(warning.slice(0, MAX_WARNING_LENGTH)));
    found = failure ?? found;
  }
  return found;
}

/** What the guest says, as JSON. @throws KataError KATA_AGENT */
export function parseAnswer<T>(shape: Shape<T>, json: string): T {
  try {
    return parseShape(shape, json, "it");
  } catch (error) {
    throw new KataError(
      "KATA_AGENT",
      `the guest's answer is malformed: ${escapeControls(reasonOf(error).slice(0, MAX_WARNING_LENGTH))}`,
      {
        cause: error,
      },
    );
  }
}
