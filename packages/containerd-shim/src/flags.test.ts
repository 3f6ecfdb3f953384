import { describe, expect, it } from "vitest";
import { parseFlags } from "./flags.ts";

describe("a shim's command line", () => {
  it("is Go's", () => {
    const flags = ["-namespace", "k8s.io", "--id=web", "-address", "/run/c.sock", "-publish-binary", "/c", "start"];
    expect(parseFlags(flags)).toMatchObject({
      action: "start",
      namespace: "k8s.io",
      id: "web",
      address: "/run/c.sock",
      publishBinary: "/c",
      debug: false,
    });
  });

  it("serves without an action", () => {
    expect(parseFlags(["-id", "web"]).action).toBe("serve");
  });

  it("says what is wrong with it", () => {
    expect(() => parseFlags(["stop"])).toThrow('"stop" is no action of a shim');
    expect(() => parseFlags(["start", "now"])).toThrow("unexpected arguments: now");
    expect(() => parseFlags(["-what"])).toThrow("--what");
  });
});
