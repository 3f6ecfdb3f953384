import { BlockList } from "node:net";
import { describe, expect, it } from "vitest";

describe("BlockList", () => {
  it.each([
    ["10.1.2.0", 24, "10.1.2.255", true],
    ["10.1.2.0", 24, "10.1.3.0", false],
    ["10.1.2.128", 25, "10.1.2.127", false],
    ["10.1.2.3", 32, "10.1.2.3", true],
    ["0.0.0.0", 0, "203.0.113.9", true],
  ] as const)("of %s/%d has %s: it is %s", (network, prefix, address, expected) => {
    const list = new BlockList();
    list.addSubnet(network, prefix);
    expect(list.check(address)).toBe(expected);
  });

  it.each([
    ["2001:db8::", 32, "2001:db8:ffff::1", true],
    ["2001:db8::", 33, "2001:db8:8000::", false],
    ["fe80::", 64, "fe80::1:2:3:4", true],
    ["fe80::", 64, "fe80:0:0:1::1", false],
    ["::1", 128, "::1", true],
  ] as const)("of %s/%d has %s: it is %s", (network, prefix, address, expected) => {
    const list = new BlockList();
    list.addSubnet(network, prefix, "ipv6");
    expect(list.check(address, "ipv6")).toBe(expected);
  });

  it("has addresses and ranges, each of a family", () => {
    const list = new BlockList();
    list.addAddress("10.0.0.1");
    list.addRange("10.0.1.5", "10.0.2.5");
    list.addRange("fe80::1", "fe80::ff", "ipv6");
    const has = ["10.0.0.1", "10.0.0.2", "10.0.1.4", "10.0.1.5", "10.0.2.5", "10.0.2.6", "no address"];
    expect(has.filter((address) => list.check(address))).toEqual(["10.0.0.1", "10.0.1.5", "10.0.2.5"]);
    expect([list.check("fe80::80", "ipv6"), list.check("fe80::100", "ipv6")]).toEqual([true, false]);
  });

  it("has IPv4's addresses also as those of IPv6 that stand for them", () => {
    const list = new BlockList();
    list.addAddress("10.0.0.1");
    list.addRange("10.0.1.5", "10.0.2.5");
    list.addSubnet("192.168.0.0", 16);
    const has = ["::ffff:10.0.0.1", "::ffff:a00:2", "::ffff:10.0.2.5", "::ffff:10.0.2.6", "::ffff:c0a8:1", "::c0a8:1"];
    expect(has.filter((address) => list.check(address, "ipv6"))).toEqual([
      "::ffff:10.0.0.1",
      "::ffff:10.0.2.5",
      "::ffff:c0a8:1",
    ]);
    const mapped = new BlockList();
    mapped.addAddress("::ffff:10.0.0.1", "ipv6");
    mapped.addRange("::ffff:10.0.1.5", "::ffff:10.0.2.5", "ipv6");
    mapped.addSubnet("::ffff:192.168.0.0", 112, "ipv6");
    const others = ["10.0.0.1", "10.0.0.2", "10.0.2.5", "10.0.2.6", "192.168.255.1", "192.169.0.1"];
    expect(others.filter((address) => mapped.check(address))).toEqual(["10.0.0.1", "10.0.2.5", "192.168.255.1"]);
    const whole = new BlockList();
    whole.addRange("::", "ffff::", "ipv6");
    expect([whole.check("10.0.0.1"), whole.check("::ffff:10.0.0.1", "ipv6")]).toEqual([false, true]);
  });

  it.each([
    [
      "a network that is no address",
      (list: BlockList) => {
        list.addSubnet("10.0.0", 8);
      },
      "ERR_INVALID_ADDRESS",
    ],
    [
      "a network of another family",
      (list: BlockList) => {
        list.addSubnet("::1", 8);
      },
      "ERR_INVALID_ADDRESS",
    ],
    [
      "bits that an address has not",
      (list: BlockList) => {
        list.addSubnet("10.0.0.0", 33);
      },
      "ERR_OUT_OF_RANGE",
    ],
    [
      "a range that ends before it begins",
      (list: BlockList) => {
        list.addRange("10.0.0.2", "10.0.0.1");
      },
      "ERR_INVALID_ARG_VALUE",
    ],
  ] as const)("refuses %s", (_what, add, code) => {
    let found: unknown;
    try {
      add(new BlockList());
    } catch (error) {
      found = (error as { code: unknown }).code;
    }
    expect(found).toBe(code);
  });
});
