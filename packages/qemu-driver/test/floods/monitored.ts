// For monitor.test.ts: a program that talks to a hostile QEMU, as kata-proxy and the runtime do.
import { setTimeout as delay } from "node:timers/promises";
import { QmpClient } from "../../src/index.ts";

const [path = ""] = process.argv.slice(2);
for (;;) {
  const qmp = await QmpClient.connect(path).catch(() => undefined);
  const stop = qmp?.onEvent(() => undefined);
  await qmp?.execute("query-status").catch(() => undefined);
  stop?.();
  qmp?.close();
  await delay(1);
}
