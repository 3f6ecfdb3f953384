import { spawn } from "node:child_process";
import { once } from "node:events";
import type { ProcessIdentity } from "@kata-ts/linux";
import { FileStore, parseContainerId, statusOf } from "@kata-ts/virtcontainers/records";
import type { Context } from "../context.ts";
import { ownProgram } from "./own-program.ts";

/**
 * Waits for a process that is no child of it, and becomes the command that follows. A zombie has ended, too, and so has a process whose number
 * another one has by now, which began at another time: field 22 of its line, the 20th behind its name.
 */
const WAIT = [
  "pid=$1 start=$2; shift 2",
  `runs() { case $1 in Z*|X*) return 1 ;; esac; [ "\${20}" = "$start" ]; }`,
  'while read -r line < "/proc/$pid/stat"; do',
  `  runs \${line##*) } || break`,
  "  sleep 1",
  "done 2>/dev/null",
  'exec "$@"',
].join("\n");

/** No process has it. */
const ENDED: ProcessIdentity = { pid: 0, startTime: 0 };

/** `--rm` with `--detach`: leaves a small process behind that removes the container when it has ended. */
export async function removeAtEnd(id: string, context: Context): Promise<void> {
  const record = await new FileStore(context.globals.root).read(parseContainerId(id));
  const shim = statusOf(record) === "stopped" ? ENDED : (record.shim ?? ENDED);
  await whenEnded(shim, [...ownProgram(context), "rm", id]);
}

/** Leaves a process behind that runs a command once another process has ended. */
export async function whenEnded({ pid, startTime }: ProcessIdentity, command: readonly string[]): Promise<void> {
  // In a session of its own, which the signals of this terminal do not reach.
  const options = { detached: true, stdio: "ignore", cwd: "/" } as const;
  const args = ["-c", WAIT, "sh", String(pid), String(startTime), ...command];
  const waiting = spawn("/bin/sh", args, options);
  await once(waiting, "spawn");
  waiting.unref();
}
