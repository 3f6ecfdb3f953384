import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { describe, expect, it } from "vitest";
import { Sandbox } from "../src/index.ts";
import { recordSpans } from "../src/opentelemetry.ts";
import { FakeAgent, fakePorts } from "../src/testing/index.ts";

describe("spans of OpenTelemetry", () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

  async function work(failing: boolean): Promise<void> {
    const agent = new FakeAgent({ stdout: "out\n", status: 0 });
    const ports = fakePorts(() => agent.connect());
    const vm = { kernelPath: "/kernel", imagePath: "/image" };
    await using sandbox = await Sandbox.create({ id: "traced", vm }, ports);
    await using container = await sandbox.createContainer({ id: "web", rootfs: "/", args: ["true"] });
    const running = await container.start();
    if (failing) await running.exec({ args: ["true"] }); // The fake has no such RPC.
  }

  it("tell what was done, with what, and how it ended", async () => {
    using _recording = recordSpans(provider.getTracer("test"));
    await work(false);
    const spans = exporter.getFinishedSpans().map(({ name, attributes, status }) => ({ name, attributes, status }));
    const ofSandbox = { "kata.sandbox.id": "traced" };
    const ofContainer = { ...ofSandbox, "container.id": "web" };
    const status = { code: 0 };
    expect(spans).toEqual([
      { name: "kata sandbox.create", attributes: ofSandbox, status },
      { name: "kata container.create", attributes: ofContainer, status },
      { name: "kata container.start", attributes: ofContainer, status },
      { name: "kata sandbox.end", attributes: ofSandbox, status },
    ]);
    exporter.reset();
  });

  it("show failures, and end with the recording", async () => {
    const recording = recordSpans(provider.getTracer("test"));
    await expect(work(true)).rejects.toThrow();
    const exec = exporter.getFinishedSpans().find(({ name }) => name === "kata container.exec");
    expect(exec?.status.code).toBe(2);
    expect(exec?.events.map(({ name }) => name)).toEqual(["exception"]);
    exporter.reset();
    recording[Symbol.dispose]();
    await work(false);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
