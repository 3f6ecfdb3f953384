import { defaultSpec } from "@kata-ts/virtcontainers";
import { describe, expect, it } from "vitest";
import { sandboxToJoin, sharesPidNamespace } from "./sandbox.ts";

const spec = defaultSpec({ args: ["sh"] });
const joins = (annotations: Record<string, string>): string | undefined => sandboxToJoin({ ...spec, annotations });

describe("pods are told by annotations", () => {
  it.each([
    ["containerd", "io.kubernetes.cri.container-type", "sandbox", "io.kubernetes.cri.sandbox-id"],
    ["CRI-O", "io.kubernetes.cri-o.ContainerType", "sandbox", "io.kubernetes.cri-o.SandboxID"],
    ["dockershim", "io.kubernetes.docker.type", "podsandbox", "io.kubernetes.sandbox.id"],
  ])("of %s", (_engine, type, sandbox, id) => {
    expect(joins({ [type]: sandbox, [id]: "pod" })).toBeUndefined();
    expect(joins({ [type]: "container", [id]: "pod" })).toBe("pod");
    expect(() => joins({ [type]: "container" })).toThrow(id);
    expect(() => joins({ [type]: "else", [id]: "pod" })).toThrow('unknown container type "else"');
    expect(() => joins({ [type]: "container", [id]: "../evil" })).toThrow();
  });

  it("and a container without them has a sandbox of its own", () => {
    expect(joins({})).toBeUndefined();
    expect(joins({ "io.kubernetes.cri.sandbox-id": "pod" })).toBeUndefined();
  });

  it("share processes by the path of a namespace", () => {
    const withPid = (path?: string) => ({
      ...spec,
      linux: { namespaces: [{ type: "pid", ...(path === undefined ? {} : { path }) }] },
    });
    expect(sharesPidNamespace(withPid("/proc/7/ns/pid"))).toBe(true);
    expect(sharesPidNamespace(withPid(""))).toBe(false);
    expect(sharesPidNamespace(withPid())).toBe(false);
  });
});
