import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import { describe, expect, it } from "vitest";
import { documentedFields, fateOf } from "./documented-fields.fixture.ts";
import { loadSpec } from "./load.ts";
import { refuseImpossible } from "./refused.ts";
import { podRole } from "./sandbox.ts";
import { unsupportedFields } from "./unsupported.ts";

/** What engines have written for this runtime, with their ids shortened and the like of a long list left out. */
const FIXTURES = join(import.meta.dirname, "fixtures");
const NAMES = readdirSync(FIXTURES).map((file) => basename(file, ".json"));

function recorded(name: string): RuntimeSpec {
  const bundle = mkdtempSync(join(tmpdir(), "recorded-"));
  try {
    cpSync(join(FIXTURES, `${name}.json`), join(bundle, "config.json"));
    return loadSpec(bundle);
  } finally {
    rmSync(bundle, { recursive: true });
  }
}

/** Paths of all that is said, without the places in lists. */
function pathsOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, path));
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, item]) => pathsOf(item, path === "" ? key : `${path}.${key}`));
}

describe("config.json of today's engines", () => {
  it.each(NAMES)("%s is taken, without a warning", (name) => {
    const spec = recorded(name);
    refuseImpossible(spec);
    expect(unsupportedFields(spec)).toEqual([]);
  });

  it.each(NAMES)("%s has no field without a fate in the documentation", (name) => {
    const unknown = new Set(pathsOf(recorded(name)).filter((path) => fateOf(path) === undefined));
    expect([...unknown]).toEqual([]);
  });

  it.each([
    ["containerd-2.1-sandbox", { kind: "sandbox" }],
    ["containerd-2.1-container", { kind: "member", sandboxId: "11111111" }],
    ["podman-5.8", { kind: "single" }],
    ["podman-5.8-infra", { kind: "single" }],
    ["podman-5.8-member", { kind: "member", sandboxId: "22222222" }],
    ["docker-28", { kind: "single" }],
  ])("%s has its place in a pod", (name, role) => {
    expect(podRole(recorded(name), "own")).toEqual(role);
  });
});

/** All of the specification's 1.3, but for what is of another platform. */
const SPECIFICATION = `
ociVersion root.path root.readonly hostname domainname annotations hooks solaris windows vm zos mounts.destination mounts.type
mounts.source mounts.options mounts.uidMappings mounts.gidMappings process.terminal process.consoleSize.height process.user.uid
process.user.gid process.user.umask process.user.additionalGids process.args process.env process.cwd process.capabilities.bounding
process.rlimits.type process.noNewPrivileges process.apparmorProfile process.oomScoreAdj process.scheduler.policy
process.selinuxLabel process.ioPriority.class process.execCPUAffinity.initial linux.uidMappings linux.gidMappings linux.sysctl
linux.namespaces.type linux.namespaces.path linux.devices.path linux.netDevices linux.cgroupsPath linux.resources.devices.allow
linux.resources.memory.limit linux.resources.memory.reservation linux.resources.memory.swap linux.resources.memory.kernel
linux.resources.memory.kernelTCP linux.resources.memory.swappiness linux.resources.memory.disableOOMKiller
linux.resources.memory.useHierarchy linux.resources.memory.checkBeforeUpdate linux.resources.cpu.shares linux.resources.cpu.quota
linux.resources.cpu.burst linux.resources.cpu.period linux.resources.cpu.realtimeRuntime linux.resources.cpu.realtimePeriod
linux.resources.cpu.cpus linux.resources.cpu.mems linux.resources.cpu.idle linux.resources.pids.limit
linux.resources.blockIO.weight linux.resources.blockIO.leafWeight linux.resources.blockIO.weightDevice
linux.resources.blockIO.throttleReadBpsDevice linux.resources.hugepageLimits.limit linux.resources.network.classID
linux.resources.rdma linux.resources.unified linux.rootfsPropagation linux.seccomp.syscalls linux.seccomp.listenerPath
linux.maskedPaths linux.readonlyPaths linux.mountLabel linux.intelRdt.closID linux.memoryPolicy.mode linux.personality.domain
linux.timeOffsets
`
  .trim()
  .split(/\s+/);

describe("the documentation of config.json", () => {
  it("has a fate for each field of the specification", () => {
    expect(SPECIFICATION.filter((path) => fateOf(path) === undefined)).toEqual([]);
    expect(fateOf("linux.somethingNew")).toBeUndefined();
    expect(fateOf("process.somethingNew")).toBeUndefined();
    expect(fateOf("somethingNew")).toBeUndefined();
  });

  it("says of no field that it is warned about or refused which is neither", () => {
    const ours = documentedFields().filter(({ field, fate }) => /^linux\.[^.…]+$/.test(field) && fate !== "applied");
    const silent = ours.filter(({ field, fate }) => {
      const name = field.slice("linux.".length);
      const linux = name === "namespaces" ? { namespaces: [{ type: "time" }] } : { [name]: { asked: { for: "x" } } };
      const spec = { ociVersion: "1.2.1", linux } as RuntimeSpec;
      if (fate === "refused") return !refuses(spec);
      return fate === "warned" && unsupportedFields(spec).length === 0;
    });
    // The guest's agent warns of it: it knows its kernel.
    expect(silent.map(({ field }) => field)).toEqual(["linux.mountLabel"]);
  });
});

function refuses(spec: RuntimeSpec): boolean {
  try {
    refuseImpossible(spec);
    return false;
  } catch {
    return true;
  }
}
