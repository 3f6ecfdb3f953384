import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { putProgramsOnNode } from "./on-node.ts";
import { DIST, SHARE } from "./paths.ts";

const LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

const SHARED_MEMORY = "/dev/shm";

/**
 * An installation whose own programs see a time of day that can be shifted while they run. All of them run on Node: a library that shifts
 * it cannot be loaded into the static program that kata-shim and kata-proxy are otherwise.
 */
export class ShiftedClock implements Disposable {
  /** Its kata-runtime. */
  readonly runtime: string;
  readonly #directory = mkdtempSync(join(tmpdir(), "kata-clock-"));
  readonly #prefix = join(this.#directory, "installed");
  readonly #file = join(this.#directory, "shift");
  readonly #node: string;
  readonly #before: ReadonlySet<string> = new Set(sharedByLibrary());

  private constructor() {
    const prefix = this.#prefix;
    const libexec = join(prefix, "libexec", "kata-ts");
    this.runtime = join(prefix, "bin", "kata-runtime");
    this.#node = join(libexec, "node");
    this.set(0);
    const node = join(DIST, "libexec", "kata-ts", "node");
    cpSync(DIST, prefix, { recursive: true, filter: (path) => path !== node && path !== SHARE });
    mkdirSync(join(prefix, "share"), { recursive: true });
    symlinkSync(SHARE, join(prefix, "share", "kata-ts"));
    const variables = {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1", // It does not jump either when a machine's clock is set.
    };
    const settings = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'\n`);
    writeFileSync(this.#node, `#!/bin/sh\n${settings.join("")}exec ${node} "$@"\n`);
    chmodSync(this.#node, 0o755);
  }

  static async install(): Promise<ShiftedClock> {
    const clock = new ShiftedClock();
    await putProgramsOnNode(clock.#prefix);
    return clock;
  }

  /** What its programs take the time for, in milliseconds. */
  async now(): Promise<number> {
    return Number((await execa(this.#node, ["-p", "Date.now()"])).stdout);
  }

  /** From now on the time is the machine's, and so many seconds more or less. */
  set(seconds: number): void {
    writeFileSync(this.#file, `${seconds < 0 ? "" : "+"}${String(seconds)}\n`);
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
    for (const name of sharedByLibrary()) if (!this.#before.has(name)) rmSync(join(SHARED_MEMORY, name));
  }
}

/** What the library makes for a process and those that it starts, and leaves there when that is killed. */
function sharedByLibrary(): string[] {
  return readdirSync(SHARED_MEMORY).filter((name) => /^(sem\.)?faketime_/.test(name));
}
