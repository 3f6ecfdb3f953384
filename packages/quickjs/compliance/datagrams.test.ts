import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { describe, expect, it } from "vitest";

describe("a socket of UDP", () => {
  it("sends, receives, and knows from where", async () => {
    const server = createSocket("udp4").bind(0, "127.0.0.1");
    await once(server, "listening");
    const { port, address, family } = server.address();
    expect([address, family]).toEqual(["127.0.0.1", "IPv4"]);
    server.on("message", (question: Buffer, from: RemoteInfo) => {
      server.send(`re: ${String(question)}`, from.port, from.address);
    });
    const client = createSocket({ type: "udp4" });
    client.send(Buffer.from("question"), port, "127.0.0.1");
    const [answer, from] = (await once(client, "message")) as [Buffer, RemoteInfo];
    expect([String(answer), from.port, from.size]).toEqual(["re: question", port, 12]);
    const closed = once(client, "close");
    client.close();
    await closed;
    server.close();
  });

  it("cannot have a place that is taken", async () => {
    const first = createSocket("udp4").bind(0, "127.0.0.1");
    await once(first, "listening");
    const second = createSocket("udp4").bind(first.address().port, "127.0.0.1");
    const [error] = (await once(second, "error")) as [NodeJS.ErrnoException];
    expect(error).toMatchObject({ code: "EADDRINUSE", syscall: "bind" });
    first.close();
    second.close();
    expect(() => first.close()).toThrow(/[Nn]ot running/);
  });
});
