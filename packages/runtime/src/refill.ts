import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { SYSTEM_PATH } from "@kata-ts/linux";
import type { RuntimeContext } from "./context.ts";

/** Starts a process that fills up the VM cache. It inherits nothing, and outlives this call, which does not wait for it. */
export function refillLater({ config, logOptions, installation }: RuntimeContext): void {
  const settings = config === undefined ? [] : ["--config", resolve(config)];
  const refill = spawn(installation.runtime, [...settings, ...logOptions, "factory", "refill"], {
    stdio: "ignore",
    detached: true,
    cwd: "/",
    env: { PATH: SYSTEM_PATH },
  });
  refill.on("error", () => undefined); // The next container is booted or cloned instead.
  refill.unref();
}
