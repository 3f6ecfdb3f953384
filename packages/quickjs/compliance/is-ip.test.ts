import { isIP } from "node:net";
import { describe, expect, it } from "vitest";

describe("isIP", () => {
  it.each([
    ["127.0.0.1", 4],
    ["1.2.3", 0],
    ["1.2.3.256", 0],
    ["01.2.3.4", 0],
    ["::", 6],
    ["::1", 6],
    ["fe80::1%eth0", 6],
    ["1:2:3:4:5:6:7:8", 6],
    ["1:2:3:4:5:6:7::", 6],
    ["1:2:3:4:5:6:7:8:9", 0],
    ["::ffff:1.2.3.4", 6],
    ["1::2::3", 0],
    ["12345::", 0],
    ["", 0],
  ] as const)("says of %s: %d", (address, family) => {
    expect(isIP(address)).toBe(family);
  });
});
