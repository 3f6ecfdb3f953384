/**
 * Spans of OpenTelemetry for what the embedded API does. Needs no package of OpenTelemetry: a tracer is what it is given.
 *
 * @example
 * ```ts
 * import { trace } from "@opentelemetry/api";
 * import { recordSpans } from "@kata-ts/virtcontainers/opentelemetry";
 *
 * using recording = recordSpans(trace.getTracer("my-program"));
 * ```
 *
 * @module
 */
import { channel, tracingChannel } from "node:diagnostics_channel";
import type { Step } from "./embedded/events.ts";
import type { Operation } from "./embedded/tracing.ts";
import { reasonOf } from "./errors.ts";

/** As much of @opentelemetry/api's Span as is used. */
export interface SpanLike {
  addEvent(name: string): unknown;
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  recordException(exception: Error): void;
  end(): void;
}

/** As much of @opentelemetry/api's Tracer as is used. */
export interface TracerLike {
  startSpan(name: string, options?: { readonly attributes?: Readonly<Record<string, string>> }): SpanLike;
}

/** SpanStatusCode.ERROR of @opentelemetry/api. */
const ERROR = 2;

/**
 * From now on each operation is a span, a child of the span that is active where it was called; the steps of a sandbox's
 * creation are its events. Until it is disposed.
 */
export function recordSpans(tracer: TracerLike): Disposable {
  const open: Map<object, { readonly span: SpanLike; readonly sandboxId: string }> = new Map();
  const handlers = {
    start: (operation: Operation) => {
      const { name, sandboxId, containerId } = operation;
      const attributes = {
        "kata.sandbox.id": sandboxId,
        ...(containerId === undefined ? {} : { "container.id": containerId }),
      };
      open.set(operation, { span: tracer.startSpan(`kata ${name}`, { attributes }), sandboxId });
    },
    asyncEnd: (operation: Operation) => {
      const span = open.get(operation)?.span;
      open.delete(operation);
      const { error } = operation;
      if (error !== undefined) {
        span?.recordException(error instanceof Error ? error : new Error(reasonOf(error)));
        span?.setStatus({ code: ERROR, message: reasonOf(error) });
      }
      span?.end();
    },
  };
  const onStep = (message: unknown): void => {
    const { step, id } = message as Step;
    for (const { span, sandboxId } of open.values()) if (sandboxId === id) span.addEvent(step);
  };
  const operations = tracingChannel<Operation>("kata-ts:operation");
  const steps = channel("kata-ts:step");
  operations.subscribe(handlers);
  steps.subscribe(onStep);
  return {
    [Symbol.dispose]: () => {
      operations.unsubscribe(handlers);
      steps.unsubscribe(onStep);
    },
  };
}
