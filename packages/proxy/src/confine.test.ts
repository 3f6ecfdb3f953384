import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

/** Of no machine. */
const NOWHERE = "vsock://4242:1024";

/** A program that is confined as kata-proxy is, and then connects. @returns the code of the kernel's answer */
function dialConfined(overVsock: boolean): string {
  const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const text = `
    const { confine } = await import(${module("./confine.ts")});
    const { dial, inOwnMountNamespace } = await import("@kata-ts/linux");
    const fs = await import("node:fs");
    await fs.promises.stat("/"); // Threads of the pool are there.
    const answer = () => dial(${JSON.stringify(NOWHERE)}).then(() => "connected", (error) => error.errno ?? error.code);
    inOwnMountNamespace(() => undefined); // As for QEMU: from then on this thread has a root of its own.
    await answer(); // Before it is confined, as kata-proxy does.
    await confine({ user: 1_900_000_011, children: [], overVsock: ${String(overVsock)} });
    fs.writeSync(1, await answer());`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", text], {
    encoding: "utf8",
    cwd: import.meta.dirname,
  });
  expect(stderr).toBe("");
  return stdout;
}

describe("a kata-proxy that is confined", () => {
  it("still connects to its guest over the host's vsock", () => {
    expect(dialConfined(true)).toMatch(/^(ENODEV|ETIMEDOUT|ECONNRESET)$/);
  });

  it("makes no vsock socket where its guest is reached over a serial port", () => {
    expect(dialConfined(false)).toBe("EPERM");
  });
});
