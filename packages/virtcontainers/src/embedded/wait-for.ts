import { request } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { escapeControls } from "@kata-ts/linux";
import { KataError, reasonOf } from "../errors.ts";
import type { ProcessDefaults } from "./default-spec.ts";
import type { Process } from "./process.ts";
import type { ProcessResult } from "./process-result.ts";
import type { ResultOptions } from "./result-options.ts";

/** What is waited for, one of these, and for how long. */
export type Readiness = ReadinessLimits &
  OneOf<{
    readonly port: number;
    readonly http: HttpReadiness;
    readonly log: LogReadiness;
    readonly healthcheck: HealthcheckReadiness;
  }>;

/** Exactly one of some properties. */
type OneOf<T> = {
  [K in keyof T]: Pick<T, K> & Readonly<Partial<Record<Exclude<keyof T, K>, never>>>;
}[keyof T];

interface ReadinessLimits {
  /** Milliseconds; 60 000 by default. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface HttpReadiness {
  readonly port: number;
  /** `/` by default. */
  readonly path?: string;
  /** The status that means ready; by default any below 400. */
  readonly status?: number;
}

export interface LogReadiness {
  readonly process: Process;
  /** What one of its outputs has to contain. They are read from now on. */
  readonly text: string | RegExp;
}

export interface HealthcheckReadiness {
  /** Where it runs. */
  readonly container: HealthcheckContainer;
  /** The container is ready once this ends with 0. */
  readonly args: readonly string[];
  /** Milliseconds from the end of one to the next; 1000 by default. */
  readonly intervalMs?: number;
  /** Milliseconds, after which one is killed and counts as failed; 30 000 by default. */
  readonly attemptMs?: number;
}

/** A running container, as far as a healthcheck needs it. */
interface HealthcheckContainer {
  run(options: ProcessDefaults & ResultOptions): Promise<ProcessResult>;
}

type Connect = (port: number, options: { readonly signal: AbortSignal; readonly timeoutMs: number }) => Promise<Socket>;

const DEADLINE_MS = 60_000;
const ATTEMPT_MS = 5_000;
const POLL_MS = 100;
/** What can never be is no reason to wait. */
const NEVER: ReadonlySet<string> = new Set(["KATA_UNSUPPORTED", "KATA_CONFIG"]);
const HEALTHCHECK_INTERVAL_MS = 1000;
const HEALTHCHECK_MS = 30_000;
/** Of each output: a text that is looked for is not longer. */
const KEPT_BYTES = 4096;

/** @throws KataError KATA_STATE, KATA_VM_GONE, and the signal's reason */
export async function waitUntilReady(
  readiness: Readiness,
  connect: Connect,
  vm: { readonly ended: Promise<unknown> },
): Promise<void> {
  const { timeoutMs = DEADLINE_MS, signal } = readiness;
  signal?.throwIfAborted();
  const limit = AbortSignal.timeout(timeoutMs);
  const over = new AbortController();
  const until = AbortSignal.any([limit, over.signal, ...(signal === undefined ? [] : [signal])]);
  const ended = vm.ended.then(() => {
    throw new KataError("KATA_VM_GONE", "the sandbox has ended while a program of it was waited for");
  });
  try {
    await Promise.race([attempts(readiness, connect, until), ended]);
  } catch (error) {
    signal?.throwIfAborted();
    if (!limit.aborted) throw error;
    throw new KataError("KATA_STATE", `${describe(readiness)} is not ready after ${String(timeoutMs)} ms`, {
      cause: error,
      hint: "look at what the container's process writes, and whether it listens on 0.0.0.0",
    });
  } finally {
    over.abort();
    ended.catch(() => undefined);
  }
}

function describe({ port, http, log, healthcheck }: Readiness): string {
  if (healthcheck !== undefined) return `a container whose healthcheck is ${JSON.stringify(healthcheck.args)}`;
  if (log !== undefined) return `a process that is to write ${String(log.text)}`;
  return http === undefined ? `port ${String(port)}` : `http://sandbox:${String(http.port)}${http.path ?? "/"}`;
}

async function attempts(readiness: Readiness, connect: Connect, until: AbortSignal): Promise<void> {
  const { port, http, log, healthcheck } = readiness;
  if (log !== undefined) {
    await untilWritten(log, until);
    return;
  }
  const attempt = async (): Promise<void> => {
    if (healthcheck !== undefined) {
      await requireHealth(healthcheck, until);
      return;
    }
    const socket = await connect(http?.port ?? port ?? 0, { signal: until, timeoutMs: ATTEMPT_MS });
    if (http === undefined) socket.destroy();
    else await requireAnswer(socket, http, until);
  };
  const pauseMs = healthcheck === undefined ? POLL_MS : (healthcheck.intervalMs ?? HEALTHCHECK_INTERVAL_MS);
  for (let last: unknown; ; ) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (error instanceof KataError && NEVER.has(error.code)) throw error;
      last = error;
    }
    await delay(pauseMs, undefined, { signal: until }).catch(() => {
      throw new Error(reasonOf(last), { cause: last });
    });
  }
}

async function requireHealth({ container, args, attemptMs }: HealthcheckReadiness, until: AbortSignal): Promise<void> {
  const limits = { signal: until, timeoutMs: attemptMs ?? HEALTHCHECK_MS };
  const { exitCode, reason, stderr } = await container.run({ args, maxBytes: KEPT_BYTES, ...limits });
  if (exitCode === 0) return;
  const how = reason === "exited" ? `exits with ${String(exitCode)}` : `is ${reason}`;
  throw new Error(`its healthcheck ${how}${stderr === "" ? "" : `: ${escapeControls(stderr.trimEnd())}`}`);
}

async function requireAnswer(socket: Socket, { path = "/", status }: HttpReadiness, until: AbortSignal): Promise<void> {
  const timer = setTimeout(() => socket.destroy(new Error("no answer")), ATTEMPT_MS);
  try {
    const found = await new Promise<number>((resolve, reject) => {
      const asked = request({ createConnection: () => socket, path, headers: { host: "localhost" }, signal: until });
      asked.once("error", reject);
      // An answer that changes the protocol is no response to Node, and no error.
      asked.once("close", () => {
        reject(new Error("it does not answer by HTTP"));
      });
      asked.once("response", (response) => {
        resolve(response.statusCode ?? 0);
      });
      asked.end();
    });
    if (status === undefined ? found >= 400 : found !== status) throw new Error(`it answers with ${String(found)}`);
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

async function untilWritten({ process, text }: LogReadiness, until: AbortSignal): Promise<void> {
  const outputs = [process.stdout, process.stderr];
  const found = outputs.map(
    (output) =>
      new Promise<void>((resolve, reject) => {
        let held: Buffer = Buffer.alloc(0);
        const read = (chunk: Buffer): void => {
          const bytes = Buffer.concat([held, chunk]);
          const written = bytes.toString();
          if (typeof text === "string" ? written.includes(text) : written.search(text) >= 0) resolve();
          held = bytes.subarray(-KEPT_BYTES);
        };
        const lost = (): void => {
          reject(new KataError("KATA_STATE", `the process has ended without writing ${String(text)}`));
        };
        if (output.closed) lost();
        output.on("data", read);
        output.once("close", lost);
        until.addEventListener("abort", () => {
          output.off("data", read);
          reject(new Error("nothing of that was written"));
        });
      }),
  );
  await Promise.any(found).catch((error: unknown) => {
    throw error instanceof AggregateError ? error.errors[0] : error;
  });
}
