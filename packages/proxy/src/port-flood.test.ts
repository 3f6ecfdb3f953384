import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Flood, yamuxFrame as frame, sendFlood, WatchedProgram } from "@kata-ts/fuzzing";
import { NetworkNamespace } from "@kata-ts/netns";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const [DATA, WINDOW_UPDATE] = [0, 1];
const [FIN, RST] = [4, 8];
const CONNECTIONS = 200;
/** So many reports of the watched program are some three seconds. */
const A_WHILE = 60;

/** The host's streams have odd numbers. */
function idOf(connection: number): number {
  return 2 * connection + 1;
}

/** On each connection by turns, byte by byte, within its window. */
const singleBytes = function* (): Flood {
  for (let sent = 0; ; sent++) {
    for (let index = 0; index < CONNECTIONS; index++) yield frame(DATA, 0, idOf(index), Buffer.of(sent));
  }
};
/** Ends them as soon as they come. */
const ends = (flag: number) =>
  function* (): Flood {
    for (let index = 0; ; index++) yield frame(WINDOW_UPDATE, flag, idOf(index));
  };

describe("forwarded ports whose guest floods them", () => {
  let directory = "";
  let namespace: NetworkNamespace;
  let guest: Server;
  let proxy: WatchedProgram;
  let channel: Socket;
  let clients: ChildProcess | undefined;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "port-flood-"));
    const [listenSocket, muxSocket] = [join(directory, "proxy.sock"), join(directory, "agent.sock")];
    namespace = NetworkNamespace.create();
    namespace.run(() => execFileSync("ip", ["link", "set", "lo", "up"]));
    guest = createServer({ pauseOnConnect: true });
    guest.listen(muxSocket);
    const script = join(import.meta.dirname, "flooded-ports.ts");
    proxy = namespace.run(() => new WatchedProgram(script, [listenSocket, muxSocket, join(directory, "ports")]));
    [channel] = (await once(guest, "connection")) as [Socket];
    channel.on("error", () => undefined);
    await expect.poll(() => redirected(), { timeout: 10_000 }).toBe(true);
  });

  afterEach(async () => {
    clients?.kill("SIGKILL");
    channel.destroy();
    await proxy.exited();
    expect(existsSync(join(directory, "ports"))).toBe(false);
    guest.close();
    namespace[Symbol.dispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  function redirected(): boolean {
    const rules = namespace.run(() =>
      execFileSync("iptables", ["-w", "-t", "nat", "-S", "OUTPUT"], { encoding: "utf8" }),
    );
    return rules.includes("REDIRECT");
  }

  /** Until the guest has heard of one of them. */
  async function connect(behaviour: string, count: number): Promise<void> {
    clients = namespace.run(() =>
      spawn(process.execPath, [join(import.meta.dirname, "port-clients.ts"), behaviour, String(count)], {
        stdio: ["ignore", "inherit", "inherit"],
      }),
    );
    channel.resume();
    await once(channel, "data");
  }

  it("hold little of what programs on the host do not read", { timeout: 120_000 }, async () => {
    await connect("reads nothing", CONNECTIONS);
    const before = await proxy.before();
    await sendFlood(channel, singleBytes());
    await proxy.expectBounded(before);
  });

  it("hold little of what the guest does not read", { timeout: 120_000 }, async () => {
    await connect("sends without end", CONNECTIONS);
    channel.pause();
    const before = await proxy.before();
    await proxy.expectBounded(before, A_WHILE);
  });

  it.for([
    ["resets", RST],
    ["half-closes", FIN],
  ] as const)(
    "hold little while the guest %s each connection, which comes again",
    { timeout: 120_000 },
    async ([, flag]) => {
      await connect("comes again", 32);
      const before = await proxy.before();
      await sendFlood(channel, ends(flag)());
      await proxy.expectBounded(before, A_WHILE);
    },
  );
});
