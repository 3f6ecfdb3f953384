import { describe, expect, it } from "vitest";
import { applicableProcess, applicableSpec, profilesIn } from "./applicable.ts";
import { unsaid } from "./unsaid.ts";

const has = (): boolean => true;
const hasNone = (): boolean => false;

describe("security labels", () => {
  const spec = {
    ociVersion: "1.0.2",
    process: { cwd: "/", apparmorProfile: "docker-default", selinuxLabel: "system_u:system_r:container_t:s0" },
    linux: { mountLabel: "system_u:object_r:container_file_t:s0" },
  };

  it("are applied where the guest has the profile, and the module", () => {
    expect(applicableSpec(spec, { hasApparmorProfile: has, selinux: true, scheduling: true })).toEqual({
      value: spec,
      warnings: [],
    });
  });

  it("are left out and warned about where not", () => {
    const { value, warnings } = applicableSpec(spec, { hasApparmorProfile: hasNone, selinux: false, scheduling: true });
    expect(value).toEqual({ ociVersion: "1.0.2", process: { cwd: "/" }, linux: {} });
    expect(warnings.map((warning) => warning.split(" ")[0])).toEqual([
      "process.apparmorProfile",
      "process.selinuxLabel",
      "linux.mountLabel",
    ]);
  });

  it("of AppArmor are looked for by name: a kernel that has the module has no profile of the host's", () => {
    const profiles = profilesIn(
      "a name (with words) (complain)\ndocker-default (enforce)\ndocker-default//child (unconfined)\n",
    );
    const able = { hasApparmorProfile: profiles.has.bind(profiles), selinux: false, scheduling: true };
    const fate = (apparmorProfile: string): unknown => {
      const { value, warnings } = applicableProcess({ cwd: "/", apparmorProfile }, able);
      return value.apparmorProfile ?? warnings;
    };
    expect(fate("docker-default")).toBe("docker-default");
    expect(fate("a name (with words)")).toBe("a name (with words)");
    expect(fate("docker")).toEqual(['process.apparmorProfile "docker" is not applied: the guest has no such profile']);
    expect(fate("unconfined")).toEqual([]);
  });

  it("are warned about once for all processes of a container", () => {
    const said: Set<string> = new Set();
    expect(unsaid(["a", "b"], said)).toEqual(["a", "b"]);
    expect(unsaid(["b", "c"], said)).toEqual(["c"]);
    expect(unsaid(["b", "c"], new Set())).toEqual(["b", "c"]);
  });

  it("that are empty mean none", () => {
    const empty = { ...spec, process: { cwd: "/", apparmorProfile: "" }, linux: { mountLabel: "" } };
    expect(applicableSpec(empty, { hasApparmorProfile: hasNone, selinux: false, scheduling: true }).warnings).toEqual(
      [],
    );
  });
});

describe("schedulers and priorities", () => {
  const process = {
    cwd: "/",
    scheduler: { policy: "SCHED_BATCH" },
    ioPriority: { class: "IOPRIO_CLASS_IDLE" },
  } as never;

  it("are the guest's runtime's to set", () => {
    const able = { hasApparmorProfile: hasNone, selinux: false, scheduling: true };
    expect(applicableProcess(process, able)).toEqual({ value: process, warnings: [] });
  });

  it("are left out and warned about where it cannot", () => {
    const unable = { hasApparmorProfile: hasNone, selinux: false, scheduling: false };
    const { value, warnings } = applicableProcess(process, unable);
    expect(value).toEqual({ cwd: "/" });
    expect(warnings.map((warning) => warning.split(" ")[0])).toEqual(["process.scheduler", "process.ioPriority"]);
  });
});
