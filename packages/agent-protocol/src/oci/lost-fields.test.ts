import { describe, expect, it } from "vitest";
import { lostInProcess, lostInSpec } from "./lost-fields.ts";
import type { RuntimeSpec } from "./runtime-spec.ts";

const ORDINARY: RuntimeSpec = {
  ociVersion: "1.0.2",
  process: { cwd: "/", args: ["sh"], user: { uid: 0, gid: 0 }, rlimits: [{ type: "RLIMIT_CORE", hard: 1, soft: 1 }] },
  root: { path: "rootfs" },
  mounts: [{ destination: "/proc", type: "proc", source: "proc", options: ["nosuid"] }],
  linux: { namespaces: [{ type: "pid" }], resources: { devices: [{ allow: false, access: "rwm" }] } },
};

describe("what an agent of the 1.x contract never sees", () => {
  it("is nothing of what engines usually ask for", () => {
    expect(lostInSpec(ORDINARY)).toEqual([]);
    expect(lostInProcess({ cwd: "/", args: ["sh"], env: ["A=b"], terminal: true })).toEqual([]);
  });

  it("is named, once, and not where it is empty", () => {
    const mounts = [1, 2].map((number) => ({ destination: `/${String(number)}`, uidMappings: [{ hostID: 1 }] }));
    const resources = { unified: { "memory.high": "1" }, rdma: {} };
    const given = { ...ORDINARY, mounts, domainname: "", linux: { ...ORDINARY.linux, resources } };
    expect(lostInSpec(given as unknown as RuntimeSpec)).toEqual(["mounts.uidMappings", "linux.resources.unified"]);
    const process = { cwd: "/", scheduler: { policy: "SCHED_BATCH" }, user: { uid: 0, gid: 0, umask: 18 } };
    expect(lostInProcess(process as never)).toEqual(["process.scheduler", "process.user.umask"]);
  });
});
