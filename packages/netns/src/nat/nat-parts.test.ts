import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inNewNamespace } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AnsweredAddresses } from "./answered-addresses.ts";
import { DECISIONS_AT_ONCE, DECISIONS_PER_SECOND, thinned } from "./decision-limit.ts";
import { decisionOf, describeDecision } from "./decisions.ts";
import { readHostRoutes } from "./host-routes.ts";
import { formatSubnet, overlap, parseSubnet, type Subnet } from "./ipv4.ts";
import { SubnetLeases } from "./lease.ts";
import { isReachable, ownAddresses } from "./reachable.ts";

function subnet(text: string): Subnet {
  const parsed = parseSubnet(text);
  if (parsed === undefined) throw new Error(`${text} is no subnet`);
  return parsed;
}

describe("subnets", () => {
  it("overlap where they have an address in common", () => {
    expect(overlap(subnet("10.0.0.0/8"), subnet("10.91.3.8/29"))).toBe(true);
    expect(overlap(subnet("10.91.3.8"), subnet("10.91.3.8/29"))).toBe(true);
    expect(overlap(subnet("10.91.3.0/29"), subnet("10.91.3.8/29"))).toBe(false);
    expect(overlap(subnet("0.0.0.0/0"), subnet("255.255.255.255"))).toBe(true);
    expect(formatSubnet(subnet("255.255.255.252/30"))).toBe("255.255.255.252/30");
  });

  it("are what the host's routes lead to, but not everywhere", () => {
    const routes = [
      { dst: "default", gateway: "192.0.2.1", dev: "eth0" },
      { dst: "192.0.2.0/24", dev: "eth0" },
      { type: "local", dst: "192.0.2.2", dev: "eth0" },
    ];
    const links = [
      { ifname: "lo", mtu: 65_536 },
      { ifname: "eth0", mtu: 1400 },
    ];
    const { used, mtu } = readHostRoutes(JSON.stringify(routes), JSON.stringify(links));
    expect(used.map(formatSubnet)).toEqual(["192.0.2.0/24", "192.0.2.2/32"]);
    expect(mtu).toBe(1400);
    expect(readHostRoutes("", JSON.stringify(links)).mtu).toBe(1500);
  });

  it("of an answer are no machine's own, no link's and no group's", () => {
    const reachable = ["192.0.2.1", "10.1.2.3"];
    const others = ["127.0.0.1", "0.0.0.0", "169.254.169.254", "168.63.129.16", "224.0.0.1", "255.255.255.255"];
    expect([...reachable, ...others].filter((address) => isReachable(address, []))).toEqual(reachable);
  });

  it("of an answer are none of the host's", () => {
    const commands = [
      "link add host0 type veth peer name other0",
      "addr add 192.0.2.1/24 dev host0",
      "link set host0 up", // Without a carrier, as the other end is down.
      "route add local 203.0.113.0/28 dev host0",
    ];
    const own = inNewNamespace("net", () => {
      execFileSync("ip", ["-batch", "-"], { input: commands.join("\n") });
      return ownAddresses();
    });
    const addresses = ["192.0.2.1", "192.0.2.2", "203.0.113.5", "203.0.113.16"];
    expect(addresses.filter((address) => isReachable(address, own))).toEqual(["192.0.2.2", "203.0.113.16"]);
  });
});

describe("leases of subnets", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "leases-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("are different, stay away from what is used, and end with their files", async () => {
    const leases = new SubnetLeases(directory);
    const used = [subnet("10.91.0.0/17")];
    using one = await leases.take(used);
    {
      using other = await leases.take(used);
      expect(overlap(one.subnet, other.subnet)).toBe(false);
      expect(used.some((each) => overlap(each, other.subnet))).toBe(false);
      writeFileSync(`${other.path}.resolv.conf`, "");
      expect(await leases.sweep()).toHaveLength(2);
    }
    expect(readdirSync(directory)).toHaveLength(1);
    expect(await leases.sweep()).toEqual([one.subnet]);
  });

  it("are refused where the host's routes lead everywhere", async () => {
    const used = [subnet("10.0.0.0/8"), subnet("172.16.0.0/12"), subnet("192.168.0.0/16")];
    await expect(new SubnetLeases(directory).take(used)).rejects.toMatchObject({ code: "KATA_NETWORK" });
  });
});

describe("addresses that were answered", () => {
  it("are let through for the answer's lifetime, and renewed when it gets longer", async () => {
    const scripts: string[] = [];
    let now = 0;
    const answered = new AnsweredAddresses(
      async (script) => void scripts.push(script),
      () => now,
    );
    const answer = { address: "192.0.2.1", ttl: 60 };
    await answered.permit([answer], [443]);
    expect(scripts.join("")).toContain("inet kata-ts with_port { 192.0.2.1 . 443 timeout 62s }");
    await answered.permit([{ ...answer, ttl: 50 }], [443]);
    now = 10;
    await answered.permit([{ ...answer, ttl: 50 }], [443]); // A cache's answer, ten seconds later.
    expect(scripts).toHaveLength(1);
    await answered.permit([answer], [443, undefined]);
    expect(scripts[1]).toContain("any_port { 192.0.2.1 timeout 62s }");
    expect(scripts[1]).toContain("with_port { 192.0.2.1 . 443 timeout 62s }");
    await answered.permit([{ address: "192.0.2.2", ttl: 0 }], [80]);
    expect(scripts[2]).toContain("192.0.2.2 . 80 timeout 12s");
  });

  it("are tried again after a change that has failed", async () => {
    let fails = true;
    const answered = new AnsweredAddresses(async () => {
      if (fails) throw new Error("full");
    });
    const permit = () => answered.permit([{ address: "192.0.2.1", ttl: 60 }], [443]);
    await expect(permit()).rejects.toThrow("full");
    fails = false;
    await permit();
  });
});

describe("decisions", () => {
  it("are thinned where a guest asks for more names than are logged", () => {
    let now = 0;
    let count = 0;
    const decide = thinned(
      () => (count += 1),
      () => now,
    );
    const flood = (): void => {
      for (let index = 0; index < 1000; index++) decide({ verdict: "refused", protocol: "dns", name: "example.org" });
    };
    flood();
    expect(count).toBe(DECISIONS_AT_ONCE);
    now = 1;
    flood();
    expect(count).toBe(DECISIONS_AT_ONCE + DECISIONS_PER_SECOND);
    now = 1000;
    flood();
    expect(count).toBe(2 * DECISIONS_AT_ONCE + DECISIONS_PER_SECOND);
  });

  it("are read from the head of a packet, whatever is in it", () => {
    const packet = Buffer.from("45000028000000004006000c0a5b0006c6336401c001005000", "hex");
    expect(decisionOf({ prefix: "refused", payload: packet })).toEqual({
      verdict: "refused",
      protocol: "tcp",
      address: "198.51.100.1",
      port: 80,
    });
    const sixth = Buffer.alloc(44);
    sixth.writeUInt8(0x60);
    sixth.writeUInt8(17, 6);
    sixth.write("20010db8", 24, "hex");
    sixth.writeUInt16BE(53, 42);
    const decision = decisionOf({ prefix: "allowed", payload: sixth });
    expect(decision && describeDecision(decision)).toBe("allowed udp [2001:db8::]:53");
    expect(describeDecision({ verdict: "refused", protocol: "dns", name: "example.org" })).toBe(
      "refused dns example.org",
    );
    for (let length = 0; length < 20; length++) {
      expect(decisionOf({ prefix: "refused", payload: packet.subarray(0, length) })).toBeUndefined();
    }
    // A later fragment has no ports.
    packet.writeUInt16BE(5, 6);
    expect(decisionOf({ prefix: "refused", payload: packet })).not.toHaveProperty("port");
  });
});
