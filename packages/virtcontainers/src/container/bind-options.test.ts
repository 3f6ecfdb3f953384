import { mkdtempSync, rmdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mountTable } from "../host/mount-table.ts";
import { bindOptions, checkBinds, isHostBind } from "./bind-options.ts";

const bind = (...options: string[]) => ({ destination: "/d", source: "/tmp", type: "bind", options });
/** Every machine has mounts below its root: /proc at least. */
const withMounts = (...options: string[]) => ({ ...bind(...options), source: "/" });

describe("options of bind mounts", () => {
  it("tell read-only of a mount from read-only of all below it", () => {
    expect(bindOptions(bind("rbind")).share).toEqual({ readonly: false, readonlyTree: false, recursive: true });
    expect(bindOptions(bind("rbind", "ro")).share).toMatchObject({ readonly: true, readonlyTree: false });
    expect(bindOptions(bind("rbind", "rro")).share).toMatchObject({ readonlyTree: true });
    expect(bindOptions(bind("bind", "ro", "rw")).share).toMatchObject({ readonly: false, recursive: false });
  });

  it("leave ro to the host where the guest's would cover the mounts below", () => {
    expect(bindOptions(withMounts("rbind", "ro", "nosuid")).guest).toEqual(["rbind", "nosuid"]);
    expect(bindOptions(withMounts("bind", "ro")).guest).toEqual(["bind", "ro"]);
    expect(bindOptions(withMounts("rbind", "ro", "rro")).guest).toEqual(["rbind", "ro", "rro"]);
    expect(bindOptions({ ...bind("rbind", "ro"), source: "/missing" }).guest).toEqual(["rbind", "ro"]);
  });

  it("bring the host's later mounts where they are asked for", () => {
    expect(bindOptions(bind("rbind", "rslave")).share.propagation).toBe("slave");
    expect(bindOptions(bind("rbind", "rprivate")).share.propagation).toBeUndefined();
  });

  it.each(["rshared", "shared", "idmap", "ridmap"])("are refused by name: %s", (option) => {
    const check = (mount: ReturnType<typeof bind>): void => {
      checkBinds({ ociVersion: "1.0.2", mounts: [mount] });
    };
    expect(() => {
      check(bind("rbind", option));
    }).toThrow(/mount \/d: .* cannot cross into another kernel/);
    const guests = { ...bind("rbind", option), source: "/sys/fs/cgroup" };
    expect(isHostBind(guests)).toBe(false);
    expect(() => {
      check(guests);
    }).not.toThrow();
  });

  it.each(["/proc", "//proc", "/x/../proc/1", "/./sys/fs", "/dev/../dev/null", "///dev/", "/tmp//..//proc"])(
    "mean the guest's own by any spelling: %s",
    (source) => {
      expect(isHostBind({ ...bind("rbind"), source })).toBe(false);
    },
  );

  it.each(["/process", "/x/proc", "/proc/../etc", "/devices", "/sys/../srv"])("mean the host's: %s", (source) => {
    expect(isHostBind({ ...bind("rbind"), source })).toBe(true);
  });

  it("are refused with owners that are mapped by the fields of a mount", () => {
    const mapped = { ...bind("rbind"), uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }] };
    expect(() => {
      checkBinds({ ociVersion: "1.0.2", mounts: [mapped] });
    }).toThrow("mapped owners");
  });

  it("are the host's also below /dev, where it has them in a file system of its own", () => {
    const directory = mkdtempSync("/dev/shm/bind-options-");
    const points = [
      ["/dev", "devtmpfs"],
      ["/dev/shm", "tmpfs"],
      ["/dev/pts", "devpts"],
    ] as const;
    const table = mountTable(points.map(([point, type]) => `1 0 0:1 / ${point} rw - ${type} x rw`).join("\n"));
    const isHosts = (source: string): boolean => isHostBind({ ...bind("rbind"), source }, table);
    try {
      expect(isHosts(directory)).toBe(true);
      for (const source of [
        "/dev/shm",
        "/dev/null",
        "/dev/pts",
        "/dev",
        "/proc/sys",
        "/sys/fs/cgroup",
        "/dev/missing",
      ]) {
        expect(isHosts(source)).toBe(false);
      }
    } finally {
      rmdirSync(directory);
    }
  });
});
