import { describe, expect, it } from "vitest";
import { toGuestSpec } from "./guest-spec.ts";

const SHARED = { ipc: "/ns/ipc", uts: "/ns/uts", pid: undefined };

describe("toGuestSpec", () => {
  const spec = {
    ociVersion: "1.0.2",
    process: { cwd: "/", args: ["sh"] },
    hooks: { prestart: [{ path: "/host/program" }] },
    linux: {
      cgroupsPath: "/docker/abc",
      namespaces: ["pid", "network", "ipc", "uts", "mount", "cgroup"].map((type) => ({
        type,
        path: `/proc/1/ns/${type}`,
      })),
    },
  };

  it("joins the sandbox's namespaces, and takes the VM itself for the network's", () => {
    expect(toGuestSpec(spec, "c", SHARED).linux?.namespaces).toEqual([
      { type: "pid" },
      { type: "ipc", path: "/ns/ipc" },
      { type: "uts", path: "/ns/uts" },
      { type: "mount" },
      { type: "cgroup" },
    ]);
    expect(toGuestSpec(spec, "c", { ...SHARED, pid: "/proc/9/ns/pid" }).linux?.namespaces?.[0]).toEqual({
      type: "pid",
      path: "/proc/9/ns/pid",
    });
  });

  it("has the guest's control groups for a look around in the guest itself", () => {
    const looking = { ...spec, root: { path: "/run/kata-containers/guest-root/debug-1" } };
    expect(toGuestSpec(looking, "c", SHARED).linux?.namespaces?.map(({ type }) => type)).not.toContain("cgroup");
  });

  it("has the mappings of the user namespace that is joined, not those that an engine writes beside its path", () => {
    const linux = {
      namespaces: [{ type: "user", path: "/proc/1/ns/user" }],
      uidMappings: [{ containerID: 0, hostID: 0, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: 0, size: 1 }],
    };
    const mappings = {
      uidMappings: [{ containerID: 0, hostID: 100_000, size: 10 }],
      gidMappings: [{ containerID: 0, hostID: 200_000, size: 10 }],
    };
    const guest = toGuestSpec({ ...spec, linux }, "c", { ...SHARED, user: "/ns/user", mappings });
    expect(guest.linux).toMatchObject(mappings);
    expect(guest.linux?.namespaces?.[0]).toEqual({ type: "user", path: "/ns/user" });
  });

  it("gives the guest's runtime a version that it knows, whatever the engine's", () => {
    for (const ociVersion of ["1.2.1", "1.3.0"]) {
      expect(toGuestSpec({ ...spec, ociVersion }, "c", SHARED).ociVersion).toBe("1.0.2");
    }
  });

  it("runs no program of the host, and uses no cgroup of the host", () => {
    const guest = toGuestSpec(spec, "c", SHARED);
    expect(guest.hooks).toBeUndefined();
    expect(guest.linux?.cgroupsPath).toBe("/kata/c");
    expect(guest.process).toEqual(spec.process);
  });

  it("leaves out what the host has warned of", () => {
    const linux = { namespaces: [], timeOffsets: {}, intelRdt: { l3CacheSchema: "L3:0=f" }, memoryPolicy: {} };
    const left = toGuestSpec({ ociVersion: "1.2.0", linux }, "c", SHARED).linux ?? {};
    expect(Object.keys(left).sort()).toEqual(["cgroupsPath", "namespaces", "resources"]);
  });

  const denied = { allow: false, access: "rwm" };
  const rule = { allow: true, type: "c", major: 10, minor: 229, access: "rw" };
  const disk = { path: "/dev/x", type: "b", major: 254, minor: 16 };
  const pipe = { path: "/dev/y", type: "p" };
  it.each([
    ["no resources", { devices: [] }, [denied]],
    ["no rules", { resources: { devices: [] } }, [denied]],
    ["rules", { devices: [disk], resources: { devices: [rule] } }, [rule]],
    [
      "devices and no rules",
      { devices: [disk, pipe], resources: {} },
      [denied, { allow: true, type: "b", major: 254, minor: 16, access: "rwm" }],
    ],
  ])("denies every device that no rule allows, as crun does where there is a rule: %s", (_, linux, rules) => {
    expect(toGuestSpec({ ociVersion: "1.2.0", linux }, "c", SHARED).linux?.resources?.devices).toEqual(rules);
  });
});
