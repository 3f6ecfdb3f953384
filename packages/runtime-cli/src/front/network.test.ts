import { describe, expect, it } from "vitest";
import { parsePort, reachableResolvers } from "./network.ts";

describe("what kata run says of networks", () => {
  it.each([
    ["8080:80", { hostPort: 8080, containerPort: 80, protocol: "tcp" }],
    ["53:5353/udp", { hostPort: 53, containerPort: 5353, protocol: "udp" }],
    ["127.0.0.1:1:65535", { hostIP: "127.0.0.1", hostPort: 1, containerPort: 65_535, protocol: "tcp" }],
  ])("%s is a port", (given, mapping) => {
    expect(parsePort(given)).toEqual(mapping);
  });

  it.each(["", "80", "0:80", "80:65536", "80:80/sctp", "host:80:80", "80:80:80:80", "-1:80"])("%s is none", (given) => {
    expect(() => parsePort(given)).toThrow("--publish takes");
  });

  it("names of the host's own loopback are asked nothing", () => {
    expect(reachableResolvers("nameserver 127.0.0.53\nsearch lan\n")).toBeUndefined();
    expect(reachableResolvers("search lan\nnameserver 127.0.0.53\nnameserver 9.9.9.9\n")).toBe(
      "search lan\nnameserver 9.9.9.9\n",
    );
  });
});
