import { describe, expect, it } from "vitest";
import { parseFilter } from "./filter-policy.ts";

describe("what may be called through an engine's interface", () => {
  it("is all, nothing, or addresses and ranges of both families, each with a port or without", () => {
    expect(parseFilter(["all"])).toBe("all");
    expect(parseFilter(["none"])).toEqual([]);
    expect(
      parseFilter(["10.1.0.0/16", "192.0.2.1:22", "FD00::/8", "::1", "[2001:db8::1]", "[2001:db8::/32]:443"]),
    ).toEqual([
      { family: 4, range: "10.1.0.0/16", port: undefined },
      { family: 4, range: "192.0.2.1/32", port: 22 },
      { family: 6, range: "fd00::/8", port: undefined },
      { family: 6, range: "::1/128", port: undefined },
      { family: 6, range: "2001:db8::1/128", port: undefined },
      { family: 6, range: "2001:db8::/32", port: 443 },
    ]);
    expect(parseFilter(["::ffff:192.0.2.0/124"])).toEqual([
      { family: 6, range: "::ffff:192.0.2.0/124", port: undefined },
    ]);
  });

  it.each([
    ["all", "none"],
    ["none", "10.0.0.0/8"],
    ["10.1.0.1/16"],
    ["fd00::1/8"],
    ["fd00::/129"],
    ["fd00::/8/8"],
    ["fe80::1%eth0"],
    ["[fd00::/8]:0"],
    ["[fd00::/8]:65536"],
    ["[fd00::/8]443"],
    ["[10.0.0.1]:443"],
    ["::1; drop"],
    [""],
  ])("is not %s %s", (...entries) => {
    expect(() => parseFilter(entries)).toThrow(expect.objectContaining({ code: "KATA_NETWORK" }));
  });

  it.each(["example.org", "*.example.org:443"])("is no name, which is refused by itself: %s", (entry) => {
    expect(() => parseFilter(["10.0.0.0/8", entry])).toThrow(
      expect.objectContaining({
        code: "KATA_NETWORK_UNSUPPORTED",
        message: `egress cannot allow the name ${JSON.stringify(entry)} here`,
      }),
    );
  });
});
