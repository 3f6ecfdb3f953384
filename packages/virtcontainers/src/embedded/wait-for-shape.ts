import { anything, exactly, matching, optional, type Shape, text } from "@kata-ts/linux/shape";
import { MAX_TIMEOUT_MS } from "./limit.ts";
import { portFrom } from "./network-shape.ts";
import { LIMIT, PROCESS } from "./process-shape.ts";
import type { HealthcheckReadiness, HttpReadiness, LogReadiness, Readiness } from "./wait-for.ts";

/** One of these. */
const CONDITIONS = ["port", "http", "log", "healthcheck"] as const;

/** A pause may be none. */
const pause: Shape<number> = matching(
  `a whole number of milliseconds from 0 to ${String(MAX_TIMEOUT_MS)}`,
  (value): value is number => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_TIMEOUT_MS,
);

const expected: Shape<string | RegExp> = matching(
  "text or a regular expression",
  (value): value is string | RegExp => typeof value === "string" || value instanceof RegExp,
);

const fields = exactly<{
  readonly port?: number;
  readonly http?: HttpReadiness;
  readonly log?: LogReadiness;
  readonly healthcheck?: HealthcheckReadiness;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}>({
  ...LIMIT,
  port: optional(portFrom(1)),
  http: optional(
    exactly<HttpReadiness>({
      port: portFrom(1),
      path: optional(text),
      status: optional(
        matching("a status of HTTP", (value): value is number => Number.isInteger(value) && Number(value) >= 100),
      ),
    }),
  ),
  log: optional(exactly<LogReadiness>({ process: anything<LogReadiness["process"]>(), text: expected })),
  healthcheck: optional(
    exactly<HealthcheckReadiness>({
      container: anything<HealthcheckReadiness["container"]>(),
      args: PROCESS.args,
      intervalMs: optional(pause),
      attemptMs: LIMIT.timeoutMs,
    }),
  ),
});

export const readinessShape: Shape<Readiness> = (value, place) => {
  const found = fields(value, place);
  const named = CONDITIONS.filter((name) => found[name] !== undefined);
  if (named.length !== 1) throw new TypeError(`${place} is about one of ${CONDITIONS.join(", ")}`);
  return found as Readiness;
};
