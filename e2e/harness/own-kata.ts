import { type ChildProcess, spawn } from "node:child_process";
import { globSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { type CommandResult, runCommand } from "./command.ts";
import { Kata } from "./kata.ts";
import { RUNTIME } from "./paths.ts";

/** The installed program. */
export const KATA: string = join(dirname(RUNTIME), "kata");

/** A `kata` with images, bundles and volumes of its own. */
export class OwnKata extends Kata {
  readonly data = join(this.directory, "data");
  readonly env = { ...process.env, KATA_TS_DATA: this.data };

  kata(...args: readonly string[]): Promise<CommandResult> {
    return runCommand(KATA, ["--root", this.root, ...args], { env: this.env });
  }

  spawn(...args: readonly string[]): ChildProcess {
    return spawn(KATA, ["--root", this.root, ...args], { env: this.env, stdio: ["ignore", "ignore", "pipe"] });
  }

  bundles(): string[] {
    return readdirSync(join(this.data, "bundles"));
  }

  /** With the mounts of containers that a test which failed has left. */
  override async [Symbol.asyncDispose](): Promise<void> {
    const left = (await this.kata("ps", "-aq")).stdout.split("\n").filter(Boolean);
    if (left.length > 0) await this.kata("rm", "-f", ...left);
    await super[Symbol.asyncDispose]();
  }

  /** The root file system of its only image. */
  rootfs(): string {
    const [path] = globSync("images/trees/*/rootfs", { cwd: this.data });
    return join(this.data, path ?? "");
  }

  /** Until there is a file in its data whose path matches, or the program has ended. */
  async whileMade(child: ChildProcess, pattern: string): Promise<void> {
    while (child.exitCode === null && globSync(pattern, { cwd: this.data }).length === 0) await setImmediate();
  }
}
