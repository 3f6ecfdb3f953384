import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SYSTEM_PATH } from "@kata-ts/linux";
import type { Context } from "../context.ts";

/** What a guard reads when there is nothing left to do for it. */
export const GUARD_DONE = "done";

/** How long it may take where QEMU answers. One whose QEMU has hung is left behind, until that answers or has ended. */
const PROMPT_MS = 15_000;

/** To be disposed: it lets the container go on then, unless it has been dismissed. */
export interface CheckpointGuard extends AsyncDisposable {
  /** The container goes on, or is gone: there is nothing left to do. */
  dismiss(): void;
}

/**
 * Starts a process that outlives this one, and lets the container go on when this one ends without a word: while its machine is
 * saved it stands still, and no other process would notice.
 */
export function startGuard(id: string, { root, config, logOptions, installation }: Context): CheckpointGuard {
  const settings = ["--root", resolve(root), ...(config === undefined ? [] : ["--config", resolve(config)])];
  const guard = spawn(installation.runtime, [...settings, ...logOptions, "checkpoint", "--guard", id], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    cwd: "/",
    env: { PATH: SYSTEM_PATH },
  });
  // A checkpoint that is not killed needs none.
  const ended: Promise<void> = new Promise((resolve) => {
    guard.once("error", () => {
      resolve();
    });
    guard.once("exit", () => {
      resolve();
    });
  });
  guard.stdin.on("error", () => undefined);
  guard.unref();
  return {
    dismiss: () => {
      guard.stdin.write(GUARD_DONE);
    },
    [Symbol.asyncDispose]: async () => {
      guard.ref();
      guard.stdin.end();
      await Promise.race([ended, delay(PROMPT_MS, undefined, { ref: false })]);
      guard.unref();
    },
  };
}
