import { describe, expect, it } from "vitest";
import { checkOptions } from "./process-shape.ts";
import { sandboxShape } from "./sandbox-shape.ts";

const vm = { kernelPath: "/kernel", imagePath: "/image" };

function check(options: object): void {
  checkOptions(sandboxShape, { vm, ...options }, "Sandbox.create");
}

describe("options of a sandbox's network", () => {
  it.each([
    {},
    { network: "none" },
    { network: { namespace: "/run/netns/pod", model: "macvtap", dns: ["nameserver 192.0.2.1"] } },
    { network: "nat", ports: [], egress: "none" },
    { network: "nat", ports: [{ container: 80 }, { host: 0, container: 53, protocol: "udp", address: "::" }] },
    { network: "nat", egress: { allow: ["*.npmjs.org:443", "10.1.0.0/16"] } },
  ])("may be %j", (options) => {
    check(options);
  });

  it.each([
    [{ network: "bridge" }, 'Sandbox.create.network is "bridge", not "nat", "none" or { namespace }'],
    [{ ports: [{ container: 80 }] }, 'Sandbox.create.ports needs network: "nat"'],
    [{ network: "none", egress: "all" }, 'Sandbox.create.egress needs network: "nat"'],
    [{ network: "nat", ports: [{ container: 0 }] }, "is not a port from 1 to 65535"],
    [{ network: "nat", ports: [{ container: 80, host: 70_000 }] }, "is not a port from 0 to 65535"],
    [{ network: "nat", ports: [{ container: 80, address: "localhost" }] }, "is not an IP address"],
    [{ network: "nat", ports: [{ container: 80, protocol: "sctp" }] }, "is not one of tcp, udp"],
    [{ network: "nat", egress: { allow: ["::1"] } }, 'egress cannot allow "::1"'],
    [{ network: "nat", egress: { allow: ["a"], deny: ["b"] } }, 'has no option "deny"'],
    [{ network: "nat", egress: "some" }, "is not an object"],
  ])("may not be %j", (options, message) => {
    expect(() => {
      check(options);
    }).toThrow(message);
  });
});
