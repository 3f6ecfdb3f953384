import { execFileSync } from "node:child_process";
import { unshare } from "@kata-ts/linux";
import { beforeAll, expect, it } from "vitest";
import { NetworkNamespace } from "../namespace.ts";
import { parseSubnet } from "./ipv4.ts";
import { Router } from "./router.ts";

/** Asks for the router's address, 2000 times by ARP and as often by IPv6, each time from another address. */
const FLOOD = `import fcntl, socket, struct, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0))
mac = fcntl.ioctl(link.fileno(), 0x8927, struct.pack("256s", b"eth0"))[18:24]

def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff

target = socket.inet_pton(socket.AF_INET6, "fe80::1")
group = socket.inet_pton(socket.AF_INET6, "ff02::1:ff00:1")
for index in range(2000):
    sender = mac + bytes([11, 0, index >> 8, index & 255])
    question = struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + sender + bytes(6) + socket.inet_aton(sys.argv[1])
    link.send(b"\\xff" * 6 + mac + b"\\x08\\x06" + question)
    source = socket.inet_pton(socket.AF_INET6, "fe80::1:%x" % (index + 1))
    body = target + b"\\x01\\x01" + mac
    pseudo = source + group + struct.pack("!IHBB", 8 + len(body), 0, 0, 58)
    body = struct.pack("!BBHI", 135, 0, checksum(pseudo + struct.pack("!BBHI", 135, 0, 0, 0) + body), 0) + body
    header = struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + source + group
    link.send(b"\\x33\\x33\\xff\\x00\\x00\\x01" + mac + b"\\x86\\xdd" + header + body)`;

beforeAll(() => {
  unshare("net"); // This worker's thread has a host of its own.
});

it("a guest with many addresses does not fill the host's tables of neighbours", { timeout: 30_000 }, async () => {
  using pod = NetworkNamespace.create();
  const subnet = parseSubnet("10.91.0.0/29");
  if (subnet === undefined) throw new Error("this is a subnet");
  await using router = await Router.create({ subnet, pod, mtu: 1500, rules: "all", flows: 1000 });
  const neighbours = (): string[] => {
    const lines = router.namespace.run(() => execFileSync("ip", ["neigh", "show", "dev", "gate"]).toString());
    return lines.split("\n").filter((line) => line !== "");
  };
  pod.run(() => execFileSync("python3", ["-c", FLOOD, router.place.gateway]));
  const [fourth, sixth] = [/^\d+\./, /^fe80:/].map((kind) => neighbours().filter((line) => kind.test(line)));
  expect(fourth).toEqual([]);
  expect(sixth?.length).toBeGreaterThan(0);
  expect(sixth?.length).toBeLessThan(500);
});
