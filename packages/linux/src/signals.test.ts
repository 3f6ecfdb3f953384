import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";

const LIB = new URL("../dist/index.js", import.meta.url).href;

it("real-time signals come by their numbers, and keep no process alive", async () => {
  const program = `
    import { onRealTimeSignals } from ${JSON.stringify(LIB)};
    onRealTimeSignals((signal) => console.log(signal));
    console.log("listens");
    process.stdin.on("data", () => process.stdin.destroy());`;
  const flags = ["--pending-deprecation", "--throw-deprecation", "--input-type=module"];
  const child = spawn(process.execPath, [...flags, "--eval", program], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => (await lines.next()).value;
  expect(await next()).toBe("listens");
  for (const signal of [34, 37, 50, 64]) {
    process.kill(child.pid ?? 0, signal);
    expect(await next()).toBe(String(signal));
  }
  child.stdin.end("enough\n");
  expect(await once(child, "exit")).toEqual([0, null]);
});
