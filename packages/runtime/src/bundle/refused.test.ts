import { defaultSpec } from "@kata-ts/virtcontainers";
import { describe, expect, it } from "vitest";
import { refuseImpossible } from "./refused.ts";
import { unsupportedFields } from "./unsupported.ts";

const base = defaultSpec({ args: ["sh"] });
const withLinux = (linux: object): typeof base => ({ ...base, linux: { ...base.linux, ...linux } });

describe("what a virtual machine cannot give", () => {
  it.each([
    ["netDevices", { netDevices: { eth1: { name: "net1" } } }],
    ["seccomp.listenerPath", { seccomp: { defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/run/listener" } }],
  ])("is refused by name: %s", (field, linux) => {
    expect(() => {
      refuseImpossible(withLinux(linux));
    }).toThrow(`linux.${field} cannot be had`);
  });

  it.each([
    ["intelRdt", { intelRdt: { closID: "a" } }],
    ["timeOffsets", { timeOffsets: { monotonic: { secs: 1 } } }],
    ["memoryPolicy", { memoryPolicy: { mode: "MPOL_BIND", nodes: "0" } }],
  ])("or warned about by name: %s", (field, linux) => {
    expect(unsupportedFields(withLinux(linux))).toEqual([expect.stringContaining(`linux.${field} is not applied`)]);
    refuseImpossible(withLinux(linux));
  });

  it("but empty fields ask for nothing", () => {
    const empty = withLinux({ netDevices: {}, seccomp: { listenerPath: "" }, intelRdt: {}, timeOffsets: {} });
    refuseImpossible(empty);
    expect(unsupportedFields(empty)).toEqual([]);
  });
});
