import { describe, expect, it } from "vitest";
import { parseFlags } from "./flags.ts";

describe("kata-shim's command line", () => {
  it("is the original's", () => {
    const flags = parseFlags([
      "-agent",
      "unix:///p.sock",
      "-container=c",
      "--exec-id",
      "e",
      "-terminal",
      "-proxy-exit-code=false",
      "-log",
      "debug",
    ]);
    expect(flags).toMatchObject({
      agent: "unix:///p.sock",
      container: "c",
      execId: "e",
      terminal: true,
      proxyExitCode: false,
    });
    expect(parseFlags(["-container", "c"])).toMatchObject({
      execId: "c",
      proxyExitCode: true,
      inContainer: false,
      controlFd: undefined,
    });
  });

  it("refuses what it does not know", () => {
    expect(() => parseFlags(["-nonsense"])).toThrow(/nonsense/);
    expect(() => parseFlags(["word"])).toThrow(/word/);
  });
});
