import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { SYSTEM_PATH } from "@kata-ts/linux";
import type { RuntimeContext } from "./context.ts";

/** Starts a process that fills up the VM cache. It inherits nothing, and outlives this call, which does not wait for it. */
export function refillLater({
  config,
  log,
  logOptions,
  installation,
}: Pick<RuntimeContext, "config" | "log" | "logOptions" | "installation">): void {
  const settings = config === undefined ? [] : ["--config", resolve(config)];
  const refill = spawn(installation.runtime, [...settings, ...logOptions, "factory", "refill"], {
    stdio: "ignore",
    detached: true,
    cwd: "/",
    env: { PATH: SYSTEM_PATH },
  });
  // The next container is booted or cloned instead. How a refill itself fails, it logs and records.
  refill.on("error", (error) => {
    log.warning(`the VM cache is not refilled, as ${installation.runtime} cannot be started: ${error.message}`);
  });
  refill.unref();
}
