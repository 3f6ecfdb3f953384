import { expect, it } from "vitest";
import { readinessShape } from "./wait-for-shape.ts";

const container = { run: () => Promise.reject(new Error("not asked")) };
const healthcheck = { container, args: ["true"] };

it.each([
  [{ port: 80, timeoutMs: 1000 }],
  [{ http: { port: 80, path: "/health", status: 204 } }],
  [{ log: { process: {}, text: /ready/ }, signal: AbortSignal.abort() }],
  [{ healthcheck: { ...healthcheck, intervalMs: 0, attemptMs: 5 } }],
])("is something to wait for: %j", (readiness) => {
  expect(readinessShape(readiness, "waitFor")).toMatchObject(readiness);
});

it.each<[object, RegExp]>([
  [{}, /waitFor is about one of port, http, log, healthcheck/],
  [{ port: 80, http: { port: 80 } }, /waitFor is about one of/],
  [{ port: 0 }, /waitFor\.port/],
  [{ prot: 80 }, /prot/],
  // A timer that is too long would fire at once.
  [{ port: 80, timeoutMs: 2 ** 31 }, /waitFor\.timeoutMs/],
  [{ healthcheck: { ...healthcheck, intervalMs: Number.NaN } }, /waitFor\.healthcheck\.intervalMs/],
  [{ healthcheck: { ...healthcheck, attemptMs: 2 ** 31 } }, /waitFor\.healthcheck\.attemptMs/],
  [{ healthcheck: { ...healthcheck, args: [] } }, /waitFor\.healthcheck\.args/],
  [{ log: { process: {}, text: 5 } }, /waitFor\.log\.text/],
])("is refused by name: %j", (readiness, message) => {
  expect(() => readinessShape(readiness, "waitFor")).toThrow(message);
});
