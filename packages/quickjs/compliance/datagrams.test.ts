import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { describe, expect, it } from "vitest";

function codeOf(body: () => unknown): unknown {
  try {
    body();
    return undefined;
  } catch (error) {
    return (error as { code: unknown }).code;
  }
}

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

  it("can be connected: then it has one partner, and hears no other", async () => {
    const [server, stranger] = [createSocket("udp4"), createSocket("udp4")].map((each) => each.bind(0, "127.0.0.1"));
    if (server === undefined || stranger === undefined) throw new Error("unreachable");
    await Promise.all([once(server, "listening"), once(stranger, "listening")]);
    const client = createSocket("udp4");
    client.connect(server.address().port, "127.0.0.1");
    await once(client, "connect");
    expect(
      codeOf(() => {
        client.connect(9);
      }),
    ).toBe("ERR_SOCKET_DGRAM_IS_CONNECTED");
    const asked = once(server, "message");
    const sent = new Promise((resolve) => {
      client.send("question", (...given: unknown[]) => {
        resolve(given);
      });
    });
    const [, from] = (await asked) as [Buffer, RemoteInfo];
    expect(await sent).toEqual([null, 8]);
    const heard = once(client, "message");
    stranger.send("not asked", from.port, from.address);
    server.send("answer", from.port, from.address);
    expect(String((await heard)[0])).toBe("answer");
    for (const socket of [server, stranger, client]) socket.close();
  });

  it("that is not connected needs a port", () => {
    const socket = createSocket("udp4");
    expect(
      codeOf(() => {
        socket.send("question");
      }),
    ).toBe("ERR_SOCKET_BAD_PORT");
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

  it("is closed once, also where it was never bound", async () => {
    const socket = createSocket("udp4");
    const closed = once(socket, "close");
    socket.close();
    await closed;
    expect(() => socket.close()).toThrow(/[Nn]ot running/);
  });

  it("calls back once it is bound, with or without an address", async () => {
    for (const place of [[0], [0, "127.0.0.1"]] as const) {
      const socket = createSocket("udp4");
      await new Promise<void>((resolve) => {
        (socket.bind as (...args: unknown[]) => void).call(socket, ...place, resolve);
      });
      expect(socket.address().port).toBeGreaterThan(0);
      socket.close();
    }
  });

  it("is bound where an object says, and once", async () => {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => {
      socket.bind({ port: 0, address: "127.0.0.2", exclusive: true }, resolve);
    });
    const { address, port } = socket.address();
    expect([address, port > 0]).toEqual(["127.0.0.2", true]);
    expect(codeOf(() => socket.bind(0))).toBe("ERR_SOCKET_ALREADY_BOUND");
    const second = createSocket("udp4").bind({ port, address });
    const [error] = (await once(second, "error")) as [NodeJS.ErrnoException];
    expect(error).toMatchObject({ code: "EADDRINUSE", syscall: "bind" });
    socket.close();
    second.close();
    const whole = createSocket("udp4").bind({ address: "127.0.0.3" });
    await once(whole, "listening");
    expect(whole.address().address).toBe("127.0.0.3");
    whole.close();
  });
});
