import { describe, expect, it } from "vitest";
import { applicableProcess, applicableSpec } from "./applicable.ts";

describe("security labels", () => {
  const spec = {
    ociVersion: "1.0.2",
    process: { cwd: "/", apparmorProfile: "docker-default", selinuxLabel: "system_u:system_r:container_t:s0" },
    linux: { mountLabel: "system_u:object_r:container_file_t:s0" },
  };

  it("are applied where the guest has the module", () => {
    expect(applicableSpec(spec, { apparmor: true, selinux: true, scheduling: true })).toEqual({
      value: spec,
      warnings: [],
    });
  });

  it("are left out and warned about where not", () => {
    const { value, warnings } = applicableSpec(spec, { apparmor: false, selinux: false, scheduling: true });
    expect(value).toEqual({ ociVersion: "1.0.2", process: { cwd: "/" }, linux: {} });
    expect(warnings.map((warning) => warning.split(" ")[0])).toEqual([
      "process.apparmorProfile",
      "process.selinuxLabel",
      "linux.mountLabel",
    ]);
  });

  it("that are empty mean none", () => {
    const empty = { ...spec, process: { cwd: "/", apparmorProfile: "" }, linux: { mountLabel: "" } };
    expect(applicableSpec(empty, { apparmor: false, selinux: false, scheduling: true }).warnings).toEqual([]);
  });
});

describe("schedulers and priorities", () => {
  const process = {
    cwd: "/",
    scheduler: { policy: "SCHED_BATCH" },
    ioPriority: { class: "IOPRIO_CLASS_IDLE" },
  } as never;

  it("are the guest's runtime's to set", () => {
    const able = { apparmor: false, selinux: false, scheduling: true };
    expect(applicableProcess(process, able)).toEqual({ value: process, warnings: [] });
  });

  it("are left out and warned about where it cannot", () => {
    const unable = { apparmor: false, selinux: false, scheduling: false };
    const { value, warnings } = applicableProcess(process, unable);
    expect(value).toEqual({ cwd: "/" });
    expect(warnings.map((warning) => warning.split(" ")[0])).toEqual(["process.scheduler", "process.ioPriority"]);
  });
});
