import { describe, expect, it } from "vitest";
import { parseFlags } from "./flags.ts";

describe("kata-proxy's command line", () => {
  it("is the original's", () => {
    const flags = parseFlags([
      "-listen-socket",
      "unix:///run/p.sock",
      "-mux-socket=/run/kata.sock",
      "-sandbox",
      "s",
      "-log",
      "warn",
      "-debug",
    ]);
    expect(flags).toMatchObject({
      listenSocket: "/run/p.sock",
      muxSocket: "/run/kata.sock",
      sandbox: "s",
      debug: true,
      vm: undefined,
    });
    expect(parseFlags(["-listen-socket", "unix:/a", "-control-fd", "3"])).toMatchObject({
      listenSocket: "/a",
      controlFd: 3,
    });
  });

  it("refuses what it does not know", () => {
    expect(() => parseFlags(["-nonsense"])).toThrow(/nonsense/);
  });
});
