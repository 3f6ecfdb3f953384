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

  it("leaves others their turn while messages come without end", async () => {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    const { port } = socket.address();
    let hadTurn = false;
    let rounds = 0;
    const over: Promise<void> = new Promise((resolve) => {
      socket.on("message", () => {
        if (hadTurn || ++rounds > 20_000) resolve();
        else sendOne();
      });
    });
    const sender = createSocket("udp4");
    const sendOne = (): void => {
      sender.send("again", port, "127.0.0.1");
    };
    setTimeout(() => {
      hadTurn = true;
    }, 1);
    sendOne();
    await over;
    expect(hadTurn).toBe(true);
    sender.close();
    socket.close();
  });

  it("has each message's ticks run before the next message", async () => {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    const order: string[] = [];
    const both: Promise<void> = new Promise((resolve) => {
      socket.on("message", (message: Buffer) => {
        order.push(String(message));
        process.nextTick(() => {
          order.push(`tick of ${String(message)}`);
          if (order.length === 4) resolve();
        });
      });
    });
    for (const message of ["1", "2"]) socket.send(message, socket.address().port, "127.0.0.1");
    await both;
    expect(order).toEqual(["1", "tick of 1", "2", "tick of 2"]);
    socket.close();
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
