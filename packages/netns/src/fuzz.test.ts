import { fuzz, mutated, throwsOnly } from "@kata-ts/fuzzing";
import { describe } from "vitest";
import { readScan } from "./scan.ts";

describe("fuzz", () => {
  const links = JSON.stringify([
    { ifindex: 1, ifname: "lo", flags: ["LOOPBACK", "UP"], mtu: 65536, link_type: "loopback", addr_info: [] },
    {
      ifindex: 7,
      ifname: "eth0",
      flags: ["BROADCAST", "MULTICAST", "UP"],
      mtu: 1500,
      link_type: "ether",
      address: "02:42:ac:11:00:02",
      linkinfo: { info_kind: "veth" },
      addr_info: [{ family: "inet", local: "172.17.0.2", prefixlen: 16, scope: "global" }],
    },
  ]);
  const routes = JSON.stringify([
    { dst: "default", gateway: "172.17.0.1", dev: "eth0", flags: [] },
    { dst: "172.17.0.0/16", dev: "eth0", protocol: "kernel", scope: "link", prefsrc: "172.17.0.2", flags: [] },
  ]);
  const neighbours = JSON.stringify([
    { dst: "172.17.0.1", dev: "eth0", lladdr: "02:42:00:00:00:01", state: ["PERMANENT"] },
  ]);
  fuzz("iproute", mutated([[links, routes, neighbours].join("\n")]), (text) => {
    throwsOnly(["KATA_NETWORK", "KATA_NETWORK_UNSUPPORTED"], () => readScan(text));
  });
});
