import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connected, connectTcp, listenTcp, unshare } from "@kata-ts/linux";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NetworkNamespace } from "../namespace.ts";
import { flowLimit, flowsOf, isTooMany, listKey } from "./flow-limit.ts";
import { NatNetwork } from "./index.ts";
import { changeRules } from "./nft.ts";

const SERVER = "198.51.100.1";

/** A datagram to each of many ports: each is a flow. What is refused is counted. */
const FLOOD = `import socket, sys
flood = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for index in range(int(sys.argv[2])):
    flood.sendto(b"x", (sys.argv[1] if index % 2 else "198.51.100.2", 1024 + index // 2))`;

/** As many datagrams of one flow. */
const STREAM = `import socket, sys
stream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for index in range(int(sys.argv[2])):
    stream.sendto(b"x", (sys.argv[1], 1024))`;

function ip(...commands: readonly string[]): void {
  execFileSync("ip", ["-batch", "-"], { input: commands.join("\n") });
}

/** In the calling thread's network namespace. */
const tracked = (): number => Number(readFileSync("/proc/sys/net/netfilter/nf_conntrack_count", "latin1"));

describe("the flows of a guest", () => {
  let directory: string;
  let internet: NetworkNamespace;

  beforeAll(() => {
    unshare("net"); // This worker's thread has a host of its own.
    directory = mkdtempSync(join(tmpdir(), "kata-flows-"));
    writeFileSync(join(directory, "resolv.conf"), `nameserver ${SERVER}\n`);
    internet = NetworkNamespace.create();
    ip(
      "link set lo up",
      `link add host0 type veth peer name net0 netns ${internet.path}`,
      "addr add 203.0.113.1/24 dev host0",
      "link set host0 up",
    );
    internet.run(() => {
      ip("link set lo up", "addr add 203.0.113.2/24 dev net0", "link set net0 up", `addr add ${SERVER}/32 dev lo`);
      // Nothing there answers a datagram: its flow stays new.
      execFileSync("nft", [
        "add table ip quiet; add chain ip quiet o { type filter hook output priority 0; }; add rule ip quiet o ip protocol icmp drop",
      ]);
    });
    ip("route add default via 203.0.113.2");
  });

  afterAll(() => {
    internet[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });

  const open = (pod: NetworkNamespace) =>
    NatNetwork.create(pod, {
      egress: "all",
      ports: [],
      warn: () => undefined,
      onDecision: () => undefined,
      leases: join(directory, "leases"),
      resolvConf: join(directory, "resolv.conf"),
    });

  it("are no more than its share of what the host tracks: others still get through", { timeout: 60_000 }, async () => {
    using hostile = NetworkNamespace.create();
    using other = NetworkNamespace.create();
    await using _one = await open(hostile);
    await using _two = await open(other);
    const most = flowLimit() ?? 0;
    expect(most).toBeGreaterThan(0);
    hostile.run(() => execFileSync("python3", ["-c", FLOOD, SERVER, String(most + 4000)]));
    const flows = tracked();
    expect(flows).toBeGreaterThan(0.8 * most);
    expect(flows).toBeLessThanOrEqual(most + 100);
    // Another guest has a count of its own, in which a stream of one flow is one.
    const server = createServer((socket) => socket.end("hello"));
    server.listen({ fd: internet.run(() => listenTcp(SERVER, 80, 8)) });
    other.run(() => execFileSync("python3", ["-c", STREAM, SERVER, String(most + 4000)]));
    const socket = connected(other.run(() => connectTcp(SERVER, 80)));
    expect(await text(await socket)).toBe("hello");
    server.close();
  });

  it("are all let through where they are less than half of those that may be, also where these are few", async () => {
    using place = NetworkNamespace.create();
    const [most, flows] = [256, 96];
    await changeRules(
      place.path,
      `table ip bound {
         set flows { typeof ${listKey(most)}; size 256; flags dynamic; }
         chain o { type filter hook output priority 0; ${isTooMany("flows", listKey(most), most)} drop; }
       }`,
    );
    const passed = place.run(() => {
      ip("link set lo up", `addr add ${SERVER}/32 dev lo`, "addr add 198.51.100.2/32 dev lo");
      execFileSync("python3", ["-c", FLOOD, SERVER, String(flows)]); // What is dropped fails it.
      return tracked();
    });
    expect(passed).toBe(flows);
  });

  it("are a sixteenth of what the host may track, and never so few that a guest is of no use", () => {
    expect([262_144, 65_536, 1024, 0].map(flowsOf)).toEqual([16_384, 4096, 256, 16_384]);
    expect(flowLimit(join(directory, "none"))).toBeUndefined();
  });
});
