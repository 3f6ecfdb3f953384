import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { refillLater } from "./refill.ts";

it("says that the VM cache is not refilled where no process can be started for it", async () => {
  const warned: string[] = [];
  const log = {
    debug: () => undefined,
    warning: (message: string) => warned.push(message),
    error: () => undefined,
    enableDebug: () => undefined,
    about: () => undefined,
    alsoTo: () => undefined,
  };
  const installation = { runtime: "/nonexistent/kata-runtime" } as Parameters<typeof refillLater>[0]["installation"];
  refillLater({ config: undefined, log, logOptions: [], installation });
  while (warned.length === 0) await turn();
  expect(warned).toEqual([
    "the VM cache is not refilled, as /nonexistent/kata-runtime cannot be started: spawn /nonexistent/kata-runtime ENOENT",
  ]);
});
