import { describe, expect, it } from "vitest";
import { engineResolver } from "./engine-resolver.ts";

describe("the engine's resolver", () => {
  it.each([
    [["search lan", "nameserver 127.0.0.11", "options ndots:0"], "127.0.0.11"],
    [["nameserver\t127.0.0.11 "], "127.0.0.11"],
    [["nameserver 127.0.0.1"], undefined],
    [["nameserver 127.0.0.111"], undefined],
    [["# nameserver 127.0.0.11"], undefined],
    [[], undefined],
  ])("in %j is %s", (lines, wanted) => {
    expect(engineResolver(lines)).toBe(wanted);
  });
});
