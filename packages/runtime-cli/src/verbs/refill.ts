import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { SYSTEM_PATH } from "@kata-ts/linux";
import type { Context } from "../context.ts";

/** Has the VM cache filled up by a process that nobody waits for: it inherits nothing, and says what fails in the log. */
export function refillLater({ globals, installation }: Context): void {
  const { config, log, logFormat } = globals;
  const given = [
    ...(config === undefined ? [] : ["--config", resolve(config)]),
    ...(log === undefined ? [] : ["--log", resolve(log), "--log-format", logFormat]),
  ];
  const refill = spawn(installation.runtime, [...given, "factory", "refill"], {
    stdio: "ignore",
    detached: true,
    cwd: "/",
    env: { PATH: SYSTEM_PATH },
  });
  refill.on("error", () => undefined); // The next container is booted or cloned instead.
  refill.unref();
}
