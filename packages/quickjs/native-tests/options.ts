// What Node has and the engine has not is refused by its name: here Node would do it. Run by the engine alone.
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { describe, expect, it } from "vitest";

const UNAVAILABLE = "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM";

describe("what the engine lacks is refused by its name", () => {
  it.each([
    ["reuseAddr", () => createSocket({ type: "udp4", reuseAddr: true })],
    ["lookup", () => createSocket("udp4").bind({ port: 0, lookup: () => undefined } as never)],
    ["ipv6Only", () => createServer().listen({ port: 0, ipv6Only: true })],
    ["localAddress", () => connect({ port: 9, host: "127.0.0.1", localAddress: "127.0.0.2" })],
    ["base", () => new URL("a", "http://h/")],
    ["base", () => URL.canParse("a", "http://h/")],
    ["ASCII", () => new URL("http://bücher.example/")],
    ["ASCII", () => new URL("http://%C3%BC/")],
  ])("%s", (name, body) => {
    let error: unknown;
    try {
      body();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: UNAVAILABLE, message: expect.stringContaining(name) as string });
  });

  it("and no part of a URL is set", () => {
    const url = new URL("http://h/");
    expect(() => {
      url.hash = "a";
    }).toThrow(TypeError);
    expect(url.href).toBe("http://h/");
  });
});
