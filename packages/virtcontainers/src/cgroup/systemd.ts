import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { KataError } from "../errors.ts";
import type { UnitPlace } from "./systemd-path.ts";
import type { UnitProperty } from "./unit-properties.ts";

/** Runs busctl with these arguments. @returns what it printed @throws Error with systemd's own words */
export type Busctl = (args: readonly string[]) => Promise<string>;

const MANAGER = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"];
const UNIT = "org.freedesktop.systemd1.Unit";
/** An answer may take long while systemd reloads. */
const ANSWER_SECONDS = 25;
/** As runc waits for a scope. */
const START_DEADLINE_MS = 30_000;
const ASK_EVERY_MS = 250;

/** As sd_booted(3): systemd is this machine's process 1. */
export function isSystemdRunning(): boolean {
  return statSync("/run/systemd/system", { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The part of systemd's D-Bus interface that a container needs (docs/adr/0019). */
export class Systemd {
  readonly #busctl: Busctl;

  constructor(run: Busctl = busctl) {
    this.#busctl = run;
  }

  /**
   * Makes a scope around a process, and waits until that is in it. A failed scope of that name is cleared away first.
   *
   * @throws KataError KATA_CGROUP
   */
  async startScope(place: UnitPlace, pid: number, properties: readonly UnitProperty[]): Promise<void> {
    const { unit } = place;
    const all = [...scopeProperties(place, pid), ...properties];
    const start = ["StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail", ...variants(all), "0"];
    try {
      await this.#call(start).catch(async (error: unknown) => {
        if (!(await this.#clearFailed(unit))) throw error;
        return this.#call(start);
      });
      await this.#waitFor(unit, pid);
    } catch (error) {
      throw refusal(`make ${unit} in ${place.slice}`, error);
    }
  }

  /** Until the unit ends, not in files. @throws KataError KATA_CGROUP */
  async setProperties(unit: string, properties: readonly UnitProperty[]): Promise<void> {
    if (properties.length === 0) return;
    try {
      await this.#call(["SetUnitProperties", "sba(sv)", unit, "true", ...variants(properties)]);
    } catch (error) {
      throw refusal(`change the limits of ${unit}`, error);
    }
  }

  /** Idempotent: a scope without processes goes by itself. @throws KataError KATA_CGROUP */
  async stop(unit: string): Promise<void> {
    try {
      await this.#call(["StopUnit", "ss", unit, "replace"]);
    } catch (error) {
      if (!/not loaded|not found|NoSuchUnit/i.test(String(error))) throw refusal(`stop ${unit}`, error);
    }
    await this.#clearFailed(unit);
  }

  async #clearFailed(unit: string): Promise<boolean> {
    return this.#call(["ResetFailedUnit", "s", unit]).then(
      () => true,
      () => false,
    );
  }

  /** The answer to StartTransientUnit says that the job is queued; the process's cgroup says that it is done. */
  async #waitFor(unit: string, pid: number): Promise<void> {
    const giveUpAt = performance.now() + START_DEADLINE_MS;
    let askAt = performance.now() + ASK_EVERY_MS;
    while (!isInside(pid, unit)) {
      const now = performance.now();
      if (now > giveUpAt) throw new Error(`it has not come up within ${String(START_DEADLINE_MS)} ms`);
      if (now > askAt) {
        askAt = now + ASK_EVERY_MS;
        const state = await this.#stateOf(unit);
        if (state === "failed") throw new Error("its start has failed: `systemctl status` and the journal say why");
      }
      await delay(2);
    }
  }

  async #stateOf(unit: string): Promise<string> {
    const path = await this.#call(["GetUnit", "s", unit]).catch(() => "");
    const object = /"(\/[^"]+)"/.exec(path)?.[1];
    if (object === undefined) return "";
    const answer = await this.#busctl(["get-property", MANAGER[0] ?? "", object, UNIT, "ActiveState"]).catch(() => "");
    return /"(\w+)"/.exec(answer)?.[1] ?? "";
  }

  #call(words: readonly string[]): Promise<string> {
    return this.#busctl([`--timeout=${String(ANSWER_SECONDS)}`, "--", "call", ...MANAGER, ...words]);
  }
}

function scopeProperties({ unit, slice }: UnitPlace, pid: number): UnitProperty[] {
  const accounting = ["CPUAccounting", "MemoryAccounting", "TasksAccounting", "IOAccounting"];
  return [
    ["Description", "s", `kata-ts container ${unit}`],
    ["Slice", "s", slice],
    // The cgroups below are ours; systemd does not move or remove what is in them.
    ["Delegate", "b", "true"],
    ["PIDs", "au", "1", String(pid)],
    ...accounting.map((name): UnitProperty => [name, "b", "true"]),
    // At shutdown the engine ends its containers; systemd does not end them before.
    ["DefaultDependencies", "b", "false"],
    ["CollectMode", "s", "inactive-or-failed"],
  ];
}

/** An array of (sv), as busctl counts it. */
function variants(properties: readonly UnitProperty[]): string[] {
  return [String(properties.length), ...properties.flat()];
}

/** A process that has ended meanwhile needs no scope any more. */
function isInside(pid: number, unit: string): boolean {
  try {
    return readFileSync(`/proc/${String(pid)}/cgroup`, "latin1").includes(`/${unit}\n`);
  } catch {
    return true;
  }
}

const busctl: Busctl = (args) =>
  new Promise((resolve, reject) => {
    const options = { timeout: (ANSWER_SECONDS + 5) * 1000, env: { PATH: SYSTEM_PATH, LC_ALL: "C" } };
    execFile("busctl", [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr.trim().slice(0, MAX_WORDS) || error.message, { cause: error }));
    });
  });

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const MAX_WORDS = 500;

function refusal(what: string, cause: unknown): KataError {
  const words = cause instanceof Error ? cause.message.replace(/^Call failed: /, "") : String(cause);
  return new KataError("KATA_CGROUP", `systemd could not ${what}: ${words}`, {
    cause,
    hint: "`busctl status org.freedesktop.systemd1` must answer; without `--systemd-cgroup` and such a cgroupsPath systemd is not asked",
  });
}
