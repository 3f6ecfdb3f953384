import { describe, expect, it } from "vitest";
import { missingOf, missingParentsOf, planFor } from "./places.ts";

const WITHOUT = { systemdAsked: false, systemdRuns: false };
const BESIDE = { systemdAsked: false, systemdRuns: true };
const ASKED = { systemdAsked: true, systemdRuns: true };

describe("where a container's cgroups are to be", () => {
  it("is a scope of systemd's where that runs and the path has its form, asked for by an option or not", () => {
    for (const manager of [BESIDE, ASKED]) {
      const plan = planFor("machine.slice:libpod:web", "web", manager);
      expect(plan.scope).toMatchObject({ unit: "libpod-web.scope", slice: "machine.slice" });
      expect(missingOf(plan).unit).toBe("libpod-web.scope");
    }
    expect(planFor("/docker/web", "web", BESIDE).scope).toBeUndefined();
    expect(planFor(undefined, "web", BESIDE).scope).toBeUndefined();
  });

  it("is a scope named by the container where only the option asks for one", () => {
    expect(planFor(undefined, "web", ASKED)).toMatchObject({
      isNamed: false,
      scope: { unit: "kata-web.scope", slice: "system.slice", path: "/system.slice/kata-web.scope" },
    });
  });

  it("is the same directory without systemd, where the option does not ask for it", () => {
    const plan = planFor("machine.slice:libpod:web", "web", WITHOUT);
    expect(plan.scope).toBeUndefined();
    expect(plan.places.length).toBeGreaterThan(0);
    for (const { directory } of plan.places) expect(directory).toMatch(/\/machine\.slice\/libpod-web\.scope$/);
    expect(missingParentsOf(plan).every((path) => path.endsWith("/machine.slice"))).toBe(true);
  });

  it("is refused before anything is made where the option cannot be followed", () => {
    const refused = (message: string): Error =>
      expect.objectContaining({ code: "KATA_CGROUP", message: expect.stringContaining(message) as string }) as Error;
    const asked = { systemdAsked: true, systemdRuns: false };
    expect(() => planFor("machine.slice:libpod:web", "web", asked)).toThrow(refused("systemd does not run"));
    expect(() => planFor("/docker/web", "web", ASKED)).toThrow(refused('cgroupsPath "/docker/web" is not of the form'));
  });
});
