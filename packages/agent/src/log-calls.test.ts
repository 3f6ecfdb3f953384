import { expect, it } from "vitest";
import { logCalls } from "./log-calls.ts";

it("logs calls and failures with the time that they took, but not those of streams", async () => {
  const lines: string[] = [];
  const { check, version, listRoutes } = logCalls(
    {
      check: () => Promise.resolve({ status: 1 }),
      version: () => Promise.resolve({ grpc_version: "1", agent_version: "2" }),
      listRoutes: () => Promise.reject(new Error("no routes")),
    },
    (line) => lines.push(line),
  );
  const request: never = undefined as never;
  await check?.(request, request);
  expect(await version?.(request, request)).toEqual({ grpc_version: "1", agent_version: "2" });
  await expect(listRoutes?.(request, request)).rejects.toThrow("no routes");
  expect(lines).toEqual([
    expect.stringMatching(/^version: \d+ ms$/),
    expect.stringMatching(/^listRoutes: failed after \d+ ms: no routes$/),
  ]);
});
