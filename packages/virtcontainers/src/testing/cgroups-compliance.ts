import { deepEqual, equal, ok } from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { parseShape } from "@kata-ts/linux/shape";
import { recordedCgroup } from "../cgroup/recorded.ts";
import type { CgroupPlace, Cgroups, RecordedCgroup } from "../ports/cgroups.ts";
import type { ComplianceCase } from "./compliance.ts";

/** Cgroups, and what the kernel, or a fake, knows of them. */
export interface CgroupsUnderTest {
  readonly cgroups: Cgroups;
  /** For `open`; nothing is there yet. */
  readonly path: string;
  /** The processes of a place; undefined where it does not exist. */
  readonly processesIn: (place: CgroupPlace) => readonly number[] | undefined;
}

/** The rules of Cgroups. Each needs a path of its own. */
export const cgroupsCompliance: readonly ComplianceCase<CgroupsUnderTest>[] = [
  {
    rule: "names a place before it makes it, and removes it twice",
    check: async ({ cgroups, path, processesIn }) => {
      const cgroup = cgroups.open(path, "a", {});
      equal(processesIn(cgroup.place), undefined);
      cgroup.make();
      deepEqual(processesIn(cgroup.place), []);
      await cgroups.remove(cgroup.place);
      equal(processesIn(cgroup.place), undefined);
      await cgroups.remove(cgroup.place);
    },
  },
  {
    rule: "removes by its record a place that was never made",
    check: async ({ cgroups, path, processesIn }) => {
      const { place } = cgroups.open(path, "a", {});
      await cgroups.remove(recorded(place));
      equal(processesIn(place), undefined);
    },
  },
  {
    rule: "moves processes in, by the one that made it or by its record, and out to the root",
    check: async ({ cgroups, path, processesIn }) => {
      await using children = new Children(3);
      const [first, second, third] = children.pids;
      ok(first !== undefined && second !== undefined && third !== undefined);
      const cgroup = cgroups.open(path, "a", {});
      cgroup.make();
      try {
        await cgroup.begin(first);
        cgroup.add(second);
        cgroups.add(recorded(cgroup.place), third);
        deepEqual([...(processesIn(cgroup.place) ?? [])].sort(), [first, second, third].sort());
        for (const pid of children.pids) cgroups.moveToRoot(pid);
        deepEqual(processesIn(cgroup.place), []);
      } finally {
        await cgroups.remove(cgroup.place);
      }
    },
  },
  {
    rule: "is removed once its processes have ended",
    check: async ({ cgroups, path, processesIn }) => {
      const cgroup = cgroups.open(path, "a", {});
      cgroup.make();
      {
        await using children = new Children(1);
        for (const pid of children.pids) await cgroup.begin(pid);
      }
      await cgroups.remove(cgroup.place);
      equal(processesIn(cgroup.place), undefined);
    },
  },
  {
    rule: "moves no process into a place that is gone",
    check: async ({ cgroups, path, processesIn }) => {
      const cgroup = cgroups.open(path, "a", {});
      cgroup.make();
      await cgroups.remove(cgroup.place);
      cgroups.add(cgroup.place, process.pid);
      await cgroups.update(cgroup.place, { cpuShares: 512 });
      cgroups.thaw(cgroup.place);
      equal(processesIn(cgroup.place), undefined);
    },
  },
  {
    rule: "changes the limits of a place that holds processes, and thaws it",
    check: async ({ cgroups, path, processesIn }) => {
      await using children = new Children(1);
      const cgroup = cgroups.open(path, "a", { cpuShares: 256 });
      cgroup.make();
      try {
        for (const pid of children.pids) await cgroup.begin(pid);
        await cgroups.update(cgroup.place, { cpuShares: 512 });
        cgroups.thaw(cgroup.place);
        deepEqual(processesIn(cgroup.place), children.pids);
        for (const pid of children.pids) cgroups.moveToRoot(pid);
      } finally {
        await cgroups.remove(cgroup.place);
      }
    },
  },
  {
    rule: "has nothing to do for a container without a place",
    check: async ({ cgroups }) => {
      cgroups.add(undefined, process.pid);
      await cgroups.update(undefined, { cpuShares: 512 });
      cgroups.thaw(undefined);
      await cgroups.remove(undefined);
    },
  },
];

/** A place as a later call reads it from the container's record. */
function recorded(place: CgroupPlace): RecordedCgroup {
  return parseShape(recordedCgroup, JSON.stringify(place), "the place");
}

/** Idle processes, which end with the scope. */
class Children implements AsyncDisposable {
  readonly #processes: readonly ChildProcess[];

  constructor(count: number) {
    this.#processes = Array.from({ length: count }, () => spawn("sleep", ["1000"], { stdio: "ignore" }));
  }

  get pids(): number[] {
    return this.#processes.map(({ pid }) => pid ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#processes.map(async (child) => {
        const exited = once(child, "exit");
        child.kill("SIGKILL");
        await exited;
      }),
    );
  }
}
