import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import { defaultSpec } from "@kata-ts/virtcontainers";
import { describe, expect, it } from "vitest";
import { refuseImpossible } from "./refused.ts";
import { podRole, sharesPidNamespace } from "./sandbox.ts";
import { unsupportedFields } from "./unsupported.ts";

const spec = defaultSpec({ args: ["sh"] });
const roleOf = (annotations: Record<string, string>) => podRole({ ...spec, annotations }, "own");

describe("a container's role in its pod", () => {
  it.each([
    ["containerd", "io.kubernetes.cri.container-type", "sandbox", "io.kubernetes.cri.sandbox-id"],
    ["CRI-O", "io.kubernetes.cri-o.ContainerType", "sandbox", "io.kubernetes.cri-o.SandboxID"],
    ["dockershim", "io.kubernetes.docker.type", "podsandbox", "io.kubernetes.sandbox.id"],
  ])("is known by the annotations of %s", (_engine, type, sandbox, id) => {
    expect(roleOf({ [type]: sandbox, [id]: "pod" })).toEqual({ kind: "sandbox" });
    expect(roleOf({ [type]: "container", [id]: "pod" })).toEqual({ kind: "member", sandboxId: "pod" });
    expect(() => roleOf({ [type]: "container" })).toThrow(id);
    expect(() => roleOf({ [type]: "else", [id]: "pod" })).toThrow('unknown container type "else"');
    expect(() => roleOf({ [type]: "container", [id]: "../evil" })).toThrow();
  });

  it("is known by the pod's id alone in podman 5", () => {
    expect(roleOf({ "io.kubernetes.cri-o.SandboxID": "pod" })).toEqual({ kind: "member", sandboxId: "pod" });
    expect(roleOf({ "io.kubernetes.cri-o.SandboxID": "own" })).toEqual({ kind: "sandbox" });
    expect(() => roleOf({ "io.kubernetes.cri-o.SandboxID": "../evil" })).toThrow();
  });

  it("is none without them", () => {
    expect(roleOf({})).toEqual({ kind: "single" });
    expect(roleOf({ "io.kubernetes.cri.sandbox-id": "pod" })).toEqual({ kind: "single" });
  });

  it("shares processes by the path of a namespace", () => {
    const withPid = (path?: string) => ({
      ...spec,
      linux: { namespaces: [{ type: "pid", ...(path === undefined ? {} : { path }) }] },
    });
    expect(sharesPidNamespace(withPid("/proc/7/ns/pid"))).toBe(true);
    expect(sharesPidNamespace(withPid(""))).toBe(false);
    expect(sharesPidNamespace(withPid())).toBe(false);
  });
});

/**
 * The bundles of running containers of each release's engines: Debian's name for it, the engine, what it is. The system
 * calls of seccomp profiles are left out.
 */
const RECORDINGS = join(import.meta.dirname, "..", "..", "test", "engine-configs");

describe("the roles of containers as engines really write them", () => {
  const ROLES: readonly (readonly [name: RegExp, kind: string])[] = [
    [/(docker|ctr|podman-single|podman-pod-infra)/, "single"],
    [/cri-sandbox/, "sandbox"],
    [/(cri-container|podman-pod-member)/, "member"],
  ];

  it.each(readdirSync(RECORDINGS))("%s", (name) => {
    const { id, config } = JSON.parse(readFileSync(join(RECORDINGS, name), "utf8")) as {
      id: string;
      config: RuntimeSpec;
    };
    expect(podRole(config, id).kind).toBe(ROLES.find(([pattern]) => pattern.test(name))?.[1]);
    // None asks for what cannot be had.
    refuseImpossible(config);
    expect(unsupportedFields(config)).toEqual([]);
  });
});
