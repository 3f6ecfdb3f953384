import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { type PacketFilter, redirectionBy, redirectLoopback, undoRedirectLoopback } from "./loopback-redirect.ts";
import { NetworkNamespace } from "./namespace.ts";

const PORT = 4711;

/** Listens at the port that connections are led to, connects to another one, and prints what it is answered. */
const SCRIPT = `
  const { createServer, connect } = require("node:net");
  const server = createServer((socket) => socket.end("led here")).listen(${String(PORT)}, "127.0.0.1", () => {
    const client = connect(80, "127.0.0.1");
    client.on("data", (data) => process.stdout.write(data));
    client.on("error", ({ code }) => process.stdout.write(code));
    client.on("close", () => server.close());
  });`;

async function connectIn(namespace: NetworkNamespace): Promise<string> {
  const { stdout } = await namespace.run(() => promisify(execFile)(process.execPath, ["-e", SCRIPT]));
  return stdout;
}

describe("a namespace's loopback", () => {
  it.each(["iptables", "nft"] as const)("is led to one port by %s alone, and given back", async (name) => {
    using namespace = NetworkNamespace.create();
    await namespace.run(() => promisify(execFile)("ip", ["link", "set", "lo", "up"]));
    const filters = [redirectionBy[name]];
    expect(await connectIn(namespace)).toBe("ECONNREFUSED");
    await redirectLoopback(namespace.path, PORT, filters);
    expect(await connectIn(namespace)).toBe("led here");
    await undoRedirectLoopback(namespace.path, PORT);
    expect(await connectIn(namespace)).toBe("ECONNREFUSED");
    await expect(undoRedirectLoopback(namespace.path, PORT)).rejects.toThrow(/iptables: .*; nft: /s);
  });

  it("is led by the second program where the first one is not there, and refused where none is", async () => {
    using namespace = NetworkNamespace.create();
    const missing: PacketFilter = { ...redirectionBy.iptables, program: "no-such-iptables" };
    await expect(redirectLoopback(namespace.path, PORT, [missing])).rejects.toMatchObject({
      code: "KATA_NETWORK",
      hint: expect.stringContaining("iptables") as string,
    });
    await redirectLoopback(namespace.path, PORT, [missing, redirectionBy.nft]);
    await undoRedirectLoopback(namespace.path, PORT);
  });
});
