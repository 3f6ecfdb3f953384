import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Agent } from "@kata-ts/virtcontainers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Tracing } from "./tracing.ts";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number; readonly message?: string };
}

describe("the trace of a call", () => {
  let server: Server;
  let endpoint = "";
  let status = 200;
  let spans: Span[] = [];
  const paths: string[] = [];

  beforeEach(async () => {
    [spans, status] = [[], 200];
    server = createServer((request, response) => {
      paths.push(request.url ?? "");
      void text(request).then((body) => {
        const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
        spans = resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
        response.writeHead(status).end();
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    endpoint = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const warnings: string[] = [];
  const warn = (message: string): void => {
    warnings.push(message);
  };
  /** One that answers one request and refuses another. */
  const agent = {
    version: () => Promise.resolve({ agent_version: "1" }),
    check: () => Promise.reject(new Error("not yet")),
    close: () => undefined,
  } as unknown as Agent;

  async function traced(type: "isolated" | "collated"): Promise<void> {
    const tracing = new Tracing({ endpoint, agent: type });
    tracing.step("program loaded");
    const client = tracing.traced(() => agent)("unix:///x");
    await client.version({});
    await expect(client.check({})).rejects.toThrow("not yet");
    client.close();
    tracing.step("end");
    await tracing.export("create", undefined, warn);
  }

  it("has the call, its steps one after the other, and its requests to the agent", async () => {
    await traced("collated");
    expect(paths.at(-1)).toBe("/v1/traces");
    expect(spans.map(({ name }) => name)).toEqual(["create", "program loaded", "agent version", "agent check", "end"]);
    const [root, first, , failed, last] = spans;
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(spans.slice(1).every(({ parentSpanId }) => parentSpanId === root?.spanId)).toBe(true);
    expect(first?.endTimeUnixNano).toBe(last?.startTimeUnixNano);
    expect(failed?.status).toEqual({ code: 2, message: "not yet" });
    expect(root).not.toHaveProperty("parentSpanId");
  });

  it("leaves isolated requests to traces of their own", async () => {
    await traced("isolated");
    const requests = spans.filter(({ name }) => name.startsWith("agent "));
    expect(requests).toHaveLength(2);
    expect(requests.some((span) => "parentSpanId" in span)).toBe(false);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(3);
  });

  it("is warned about where the collector does not take it; without agent tracing requests are left alone", async () => {
    status = 503;
    await traced("collated");
    expect(warnings.at(-1)).toMatch(/not taken by http.*HTTP status 503/);
    server.closeAllConnections();
    server.close();
    const gone = new Tracing({ endpoint });
    await gone.export("state", "failed", warn);
    expect(warnings.at(-1)).toMatch(/ECONNREFUSED/);
    const connect = (): Agent => agent;
    expect(gone.traced(connect)).toBe(connect);
  });
});
