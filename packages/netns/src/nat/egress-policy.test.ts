import { describe, expect, it } from "vitest";
import { allowedPorts, type EgressRules, parseEgress } from "./egress-policy.ts";

function rules(...allow: readonly string[]): EgressRules {
  const parsed = parseEgress({ allow });
  if (parsed === "all") throw new Error("a list is not everything");
  return parsed;
}

describe("what may be called", () => {
  it("is names, names below one, and ranges, each with a port or without", () => {
    expect(rules("Example.org", "*.npmjs.org:443", "10.1.0.0/16", "192.0.2.1:22")).toEqual({
      names: [
        { name: "example.org", isWildcard: false, port: undefined },
        { name: "npmjs.org", isWildcard: true, port: 443 },
      ],
      ranges: [
        { range: "10.1.0.0/16", port: undefined },
        { range: "192.0.2.1/32", port: 22 },
      ],
    });
    expect(parseEgress("none")).toEqual({ names: [], ranges: [] });
    expect(parseEgress("all")).toBe("all");
  });

  it.each([
    ...[
      "",
      "*",
      "*.",
      "a b",
      "10.1.0.1/16",
      "10.1.0.0/33",
      "1.2.3",
      "::1",
      "[::1]:80",
      "fd00::/8",
      "http://example.org",
    ],
    ...["example.org:0", "example.org:65536", "example.org:x", "exa*mple.org", "-a.org", "x".repeat(64)],
    '1.2.3.4"; drop',
  ])("refuses %j by its text", (entry) => {
    expect(() => parseEgress({ allow: [entry] })).toThrow(JSON.stringify(entry));
  });

  it("goes for a name itself, or for those below it", () => {
    const parsed = rules("example.org:80", "*.example.org:443", "*.example.org");
    expect(allowedPorts(parsed, "EXAMPLE.org")).toEqual([80]);
    expect(allowedPorts(parsed, "a.b.example.org")).toEqual([443, undefined]);
    for (const other of ["badexample.org", "example.org.evil.net", "org", "", "example.orgs"]) {
      expect(allowedPorts(parsed, other)).toEqual([]);
    }
  });
});
