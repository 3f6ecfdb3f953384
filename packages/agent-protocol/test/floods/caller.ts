// For calls.test.ts: calls a hostile agent, again and again, as runtime and shim do.
import { setTimeout as delay } from "node:timers/promises";
import { connectAgent } from "../../src/index.ts";

const [url = ""] = process.argv.slice(2);
for (;;) {
  using agent = connectAgent(url);
  await agent.listProcesses({ container_id: "c" }).catch(() => undefined);
  await delay(1);
}
