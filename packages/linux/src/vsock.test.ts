import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import type { Socket } from "node:net";
import { expect, it } from "vitest";
import { LinuxError } from "./native.ts";
import { createPipe } from "./pipes.ts";
import { connectVsock, listenVsock, openVhostVsock, vsockPeer } from "./vsock.ts";

const PORT = 987_654;

function openDescriptors(): readonly string[] {
  return readdirSync("/proc/self/fd");
}

it("a port is listened at once, and free again when the server is closed", async () => {
  const before = openDescriptors();
  for (let round = 0; round < 2; round++) {
    const server = listenVsock(PORT, (socket) => socket.destroy());
    expect(() => listenVsock(PORT, (socket) => socket.destroy())).toThrow(
      `bind vsock port ${String(PORT)}: EADDRINUSE`,
    );
    server.close();
    await once(server, "close");
  }
  expect(openDescriptors()).toEqual(before);
});

it("a connection to a machine that is not there fails, and nothing stays open", async () => {
  const before = openDescriptors();
  const failed = await connectVsock({ cid: 0x7fff_fffe, port: PORT }, 100).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(LinuxError);
  expect((failed as LinuxError).message).toMatch(/^connect vsock 2147483646:987654: (ENODEV|ETIMEDOUT|ECONNRESET)$/);
  expect(openDescriptors()).toEqual(before);
});

it("the other end of what is no vsock connection is not told", () => {
  expect(() => vsockPeer({ _handle: { fd: createPipe().read } } as unknown as Socket)).toThrow("ENOTSOCK");
});

it.skipIf(existsSync("/dev/vhost-vsock"))("the error names the missing device on a host without vhost-vsock", () => {
  expect(() => openVhostVsock(42)).toThrow("/dev/vhost-vsock");
});
