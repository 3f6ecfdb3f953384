import { describe, expect, it } from "vitest";
import type { PortMapping } from "./network-note.ts";
import { collide, hostPlaceOf, parsePort, parsePorts } from "./ports.ts";
import { reachableResolvers, withResolver } from "./resolv-conf.ts";

function only(given: string): PortMapping {
  const [mapping, ...others] = parsePort(given);
  if (mapping === undefined || others.length > 0) throw new Error(`${given} is not one port`);
  return mapping;
}

describe("what kata run says of networks", () => {
  it.each([
    ["8080:80", { hostPort: 8080, containerPort: 80, protocol: "tcp" }],
    ["53:5353/udp", { hostPort: 53, containerPort: 5353, protocol: "udp" }],
    ["127.0.0.1:1:65535", { hostIP: "127.0.0.1", hostPort: 1, containerPort: 65_535, protocol: "tcp" }],
    ["80", { hostPort: 0, containerPort: 80, protocol: "tcp" }],
    ["0:80/udp", { hostPort: 0, containerPort: 80, protocol: "udp" }],
    ["127.0.0.1::80", { hostIP: "127.0.0.1", hostPort: 0, containerPort: 80, protocol: "tcp" }],
    ["127.0.0.1:80", { hostIP: "127.0.0.1", hostPort: 0, containerPort: 80, protocol: "tcp" }],
    ["[::1]:8080:80", { hostIP: "::1", hostPort: 8080, containerPort: 80, protocol: "tcp" }],
  ])("%s is a port", (given, mapping) => {
    expect(parsePort(given)).toEqual([mapping]);
  });

  it.each([
    "",
    "0",
    "80:65536",
    "65536:80",
    "80:80/sctp",
    "host:80:80",
    "80:80:80:80",
    "-1:80",
    "300.1.1.1:80:80",
    "81-80:80-81",
    "80:80-81",
    "0-1:80-81",
    "80-81:0-1",
    "65535-65536:80-81",
    "80-:80",
    "80-81-82:80-82",
    "[::g]:1:1",
  ])("%s is none", (given) => {
    expect(() => parsePort(given)).toThrow("--publish takes");
  });

  it.each([
    ["8000-8002:9000-9002/udp", ["8000 9000 udp", "8001 9001 udp", "8002 9002 udp"]],
    ["8000-8001", ["0 8000 tcp", "0 8001 tcp"]],
    ["127.0.0.1:0:8000-8001", ["0 8000 tcp", "0 8001 tcp"]],
    ["80-80:81", ["80 81 tcp"]],
  ])("%s is a port for each of a range", (given, mappings) => {
    const text = ({ hostPort, containerPort, protocol }: PortMapping): string =>
      `${String(hostPort)} ${String(containerPort)} ${protocol}`;
    expect(parsePort(given).map(text)).toEqual(mappings);
  });

  it("a range of the host for one port is any of them, and collides with nothing", () => {
    const any = { hostPort: 0, hostPorts: [8000, 8001, 8002], containerPort: 80, protocol: "tcp" };
    expect(parsePort("8000-8002:80")).toEqual([any]);
    expect(parsePort("127.0.0.1:8000-8002:80/udp")).toEqual([{ ...any, hostIP: "127.0.0.1", protocol: "udp" }]);
    expect(parsePorts(["8000-8002:80", "8000-8002:81", "8000:82"])).toHaveLength(3);
    const reason = "ranges of the same length on both sides, or a range of the host for one port, not";
    for (const given of ["8000-8002:80-81", "8000:80-81", "8000-8001:80-82"]) {
      expect(() => parsePort(given)).toThrow(`${reason} "${given}"`);
    }
  });

  it("ranges collide with what is in them, and are not without end", () => {
    expect(() => parsePorts(["8000-8010:8000-8010", "8005:80"])).toThrow("--publish has the host port 8005/tcp twice");
    expect(parsePorts(["8000-8010:8000-8010", "8011:80"])).toHaveLength(12);
    expect(() => parsePorts(["1-1000", "2001-2025"])).toThrow("--publish takes at most 1024 ports, not 1025");
  });

  it("ports collide at one address, or at all, unless they may be any", () => {
    const collides = (one: string, other: string): boolean => collide(only(one), only(other));
    expect(collides("127.0.0.1:80:1", "80:2")).toBe(true);
    expect(collides("127.0.0.1:80:1", "127.0.0.2:80:2")).toBe(false);
    expect(collides("[::]:80:1", "127.0.0.2:80:2")).toBe(true);
    expect(collides("80:1", "80:2/udp")).toBe(false);
    expect(collides("1", "1")).toBe(false);
    expect([hostPlaceOf(only("80:1")), hostPlaceOf(only("[::1]:80:1"))]).toEqual(["0.0.0.0:80", "[::1]:80"]);
  });

  it("names of the host's own loopback are asked nothing", () => {
    expect(reachableResolvers("nameserver 127.0.0.53\nsearch lan\n")).toBeUndefined();
    expect(reachableResolvers("search lan\nnameserver 127.0.0.53\nnameserver 9.9.9.9\n")).toBe(
      "search lan\nnameserver 9.9.9.9\n",
    );
  });

  it("a resolver of its own has the host's domains, and not its resolvers", () => {
    expect(withResolver("10.91.0.5", "nameserver 127.0.0.53\noptions edns0\nsearch lan\n")).toBe(
      "search lan\nnameserver 10.91.0.5\n",
    );
    expect(withResolver("10.91.0.5", "")).toBe("nameserver 10.91.0.5\n");
  });
});
