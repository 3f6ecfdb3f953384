import { describe, expect, it } from "vitest";
import type { Cgroups } from "../ports/cgroups.ts";
import { noCgroups } from "./no-cgroups.ts";
import { PodCgroups } from "./pod-cgroups.ts";

describe("the cgroups of a pod of this process", () => {
  function setUp() {
    const calls: string[] = [];
    const host: Cgroups = {
      ...noCgroups,
      open: (path = "") => ({
        place: { directories: [path] },
        make: () => calls.push(`make ${path}`),
        begin: async (pid) => {
          calls.push(`begin ${path} ${String(pid)}`);
        },
        add: () => undefined,
      }),
      add: (_place, pid) => calls.push(`add ${String(pid)}`),
      moveToRoot: (pid) => calls.push(`leave ${String(pid)}`),
      remove: async (place) => {
        calls.push(`remove ${JSON.stringify(place)}`);
      },
    };
    return { calls, cgroups: new PodCgroups(host) };
  }
  const own = String(process.pid);

  it("are one that this process is in, and leaves before it is removed", async () => {
    const { calls, cgroups } = setUp();
    const first = cgroups.open("/pod", "a", {});
    first.make();
    await first.begin(process.pid);
    const second = cgroups.open("/member", "b", {});
    second.make();
    await second.begin(process.pid);
    cgroups.add(first.place, process.pid); // for a process of exec
    cgroups.add(first.place, 1);
    await cgroups.remove(second.place);
    await cgroups.remove(first.place);
    expect(calls).toEqual([
      ...["make /pod", `begin /pod ${own}`, "add 1"],
      ...['remove {"directories":[]}', `leave ${own}`, 'remove {"directories":["/pod"]}'],
    ]);
  });

  it("are made again for another first container, where one was taken back", async () => {
    const { calls, cgroups } = setUp();
    const failed = cgroups.open("/failed", "a", {});
    await failed.begin(process.pid);
    await cgroups.remove(failed.place);
    const first = cgroups.open("/pod", "b", {});
    await first.begin(process.pid);
    expect(calls.at(-1)).toBe(`begin /pod ${own}`);
  });
});
