import { describe, expect, it } from "vitest";
import { applicableSpec } from "./security-labels.ts";

describe("security labels", () => {
  const spec = {
    ociVersion: "1.0.2",
    process: { cwd: "/", apparmorProfile: "docker-default", selinuxLabel: "system_u:system_r:container_t:s0" },
    linux: { mountLabel: "system_u:object_r:container_file_t:s0" },
  };

  it("are applied where the guest has the module", () => {
    expect(applicableSpec(spec, { apparmor: true, selinux: true })).toEqual({ value: spec, warnings: [] });
  });

  it("are left out and warned about where not", () => {
    const { value, warnings } = applicableSpec(spec, { apparmor: false, selinux: false });
    expect(value).toEqual({ ociVersion: "1.0.2", process: { cwd: "/" }, linux: {} });
    expect(warnings.map((warning) => warning.split(" ")[0])).toEqual([
      "process.apparmorProfile",
      "process.selinuxLabel",
      "linux.mountLabel",
    ]);
  });

  it("that are empty mean none", () => {
    const empty = { ...spec, process: { cwd: "/", apparmorProfile: "" }, linux: { mountLabel: "" } };
    expect(applicableSpec(empty, { apparmor: false, selinux: false }).warnings).toEqual([]);
  });
});
