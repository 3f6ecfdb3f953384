import { randomBytes } from "node:crypto";
import type { ConnectAgent } from "@kata-ts/virtcontainers";
import { COMMIT, VERSION } from "../version.ts";
import { postJson } from "./post-json.ts";

/** How requests to the agent are traced: each for itself, or as part of the call that makes it. Kata's words. */
export type AgentTraceType = "isolated" | "collated";

export interface TracingOptions {
  /** Of a collector that takes OTLP over HTTP, such as `http://localhost:4318`. */
  readonly endpoint: string;
  /** Absent: requests to the agent are not traced. */
  readonly agent?: AgentTraceType;
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** OpenTelemetry's: 1 within a program, 3 a request to another. */
  readonly kind: 1 | 3;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly object[];
  readonly status: { readonly code: 0 | 2; readonly message?: string };
}

/** A call must not wait longer for its collector. */
const DEADLINE_MS = 2_000;

/** The spans of one call of the runtime, from the start of its process: the call, its steps, its requests to the agent. */
export class Tracing {
  readonly #traceId = id(16);
  readonly #root = id(8);
  readonly #spans: Span[] = [];
  readonly #options: TracingOptions;
  #lastStep = 0;

  constructor(options: TracingOptions) {
    this.#options = options;
  }

  /** A step of the call is done: it began where the one before ended. */
  step(name: string): void {
    const now = performance.now();
    this.#spans.push(this.#child(name, 1, this.#lastStep, now));
    this.#lastStep = now;
  }

  /** Agents whose requests are spans, where that is asked for. */
  traced(connect: ConnectAgent): ConnectAgent {
    const type = this.#options.agent;
    if (type === undefined) return connect;
    return (url) => {
      const agent = connect(url);
      const get = (target: typeof agent, key: string | symbol): unknown => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        const call = (...parameters: unknown[]): unknown => Reflect.apply(value, target, parameters) as unknown;
        return typeof key === "symbol" || key === "close" ? call : this.#timed(`agent ${key}`, type, call);
      };
      return new Proxy(agent, { get });
    };
  }

  /** Sends the collected spans. A collector that refuses them is reported to `warn`, and changes nothing else. */
  async export(name: string, failure: string | undefined, warn: (message: string) => void): Promise<void> {
    const root = { ...this.#span(name, 1, 0, performance.now(), failure), spanId: this.#root };
    const url = `${this.#options.endpoint.replace(/\/$/, "")}/v1/traces`;
    try {
      const status = await postJson(url, JSON.stringify(envelope([root, ...this.#spans])), DEADLINE_MS);
      if (status < 200 || status > 299) throw new Error(`HTTP status ${String(status)}`);
    } catch (error) {
      warn(`the trace of this call was not taken by ${url}: ${(error as Error).message}`);
    }
  }

  #timed(name: string, type: AgentTraceType, call: (...parameters: unknown[]) => unknown) {
    return (...parameters: unknown[]): unknown => {
      const start = performance.now();
      const end = (failure?: string): void => {
        const span = this.#child(name, 3, start, performance.now(), failure);
        this.#spans.push(type === "collated" ? span : alone(span));
      };
      const reply = call(...parameters);
      if (reply instanceof Promise) {
        reply.then(
          () => {
            end();
          },
          (error: unknown) => {
            end(error instanceof Error ? error.message : String(error));
          },
        );
      }
      return reply;
    };
  }

  #child(name: string, kind: 1 | 3, start: number, end: number, failure?: string): Span {
    return { ...this.#span(name, kind, start, end, failure), parentSpanId: this.#root };
  }

  #span(name: string, kind: 1 | 3, start: number, end: number, failure?: string): Span {
    return {
      ...{ traceId: this.#traceId, spanId: id(8), name, kind, attributes: [attribute("process.pid", process.pid)] },
      startTimeUnixNano: unixNanoseconds(start),
      endTimeUnixNano: unixNanoseconds(end),
      status: failure === undefined ? { code: 0 } : { code: 2, message: failure },
    };
  }
}

/** In a trace of its own. */
function alone(span: Span): Omit<Span, "parentSpanId"> {
  const fields = Object.entries({ ...span, traceId: id(16) }).filter(([name]) => name !== "parentSpanId");
  return Object.fromEntries(fields) as unknown as Span;
}

function envelope(spans: readonly Span[]): object {
  const resource = { attributes: [attribute("service.name", "kata-runtime"), attribute("service.version", VERSION)] };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "kata-ts", version: COMMIT }, spans }] }] };
}

function attribute(key: string, value: string | number): object {
  return { key, value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value } };
}

function unixNanoseconds(at: number): string {
  return String(BigInt(Math.round((performance.timeOrigin + at) * 1000)) * 1000n);
}

function id(bytes: number): string {
  return randomBytes(bytes).toString("hex");
}
