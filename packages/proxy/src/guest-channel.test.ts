import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { YamuxSession } from "@kata-ts/agent-protocol";
import { OFFER } from "@kata-ts/agent-protocol/network-streams";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GuestChannel } from "./guest-channel.ts";
import { Relay } from "./relay.ts";
import { VsockChannel } from "./vsock-channel.ts";

/** A guest, and the channel that leads to it. */
interface Ends {
  readonly channel: GuestChannel;
  /** The next stream that the host opens. */
  accept(): Promise<Duplex>;
  /** Opens one to the host. */
  open(): Promise<Duplex>;
  stop(): Promise<void>;
}

type Connect = (directory: string, onGuestStream: (stream: Duplex) => void) => Promise<Ends>;

/** Values that are taken in the order in which they come. */
class Arrivals<T> {
  readonly #come: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  push(value: T): void {
    const taker = this.#waiting.shift();
    if (taker === undefined) this.#come.push(value);
    else taker(value);
  }

  next(): Promise<T> {
    const value = this.#come.shift();
    if (value !== undefined) return Promise.resolve(value);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

const overSerialPort: Connect = async (directory, onGuestStream) => {
  const muxSocket = join(directory, "port");
  const port = Promise.withResolvers<Socket>();
  const qemu = createServer(port.resolve).listen(muxSocket);
  const channel = await Relay.start({ listenSocket: join(directory, "proxy"), muxSocket, onGuestStream });
  const accepted: Arrivals<Duplex> = new Arrivals();
  const session = new YamuxSession(await port.promise, {
    role: "server",
    onStream: (stream) => {
      accepted.push(stream);
    },
  });
  return {
    channel,
    accept: () => accepted.next(),
    open: () => Promise.resolve(session.open()),
    stop: async () => {
      session.close();
      qemu.close();
      await once(qemu, "close");
    },
  };
};

const overVsock: Connect = async (directory, onGuestStream) => {
  const path = join(directory, "vsock");
  const accepted: Arrivals<Duplex> = new Arrivals();
  const offered: Arrivals<Duplex> = new Arrivals();
  const sockets: Socket[] = [];
  const device = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.once("data", (asked: Buffer) => {
      expect(asked.toString()).toBe("CONNECT 1024\n");
      socket.write("OK 1024\n");
      socket.once("data", (head: Buffer) => {
        socket.pause();
        const isOffer = head.equals(OFFER);
        if (!isOffer) socket.unshift(head);
        (isOffer ? offered : accepted).push(socket);
      });
    });
  }).listen(path);
  await once(device, "listening");
  return {
    channel: new VsockChannel({ agentUrl: `hvsock://${path}:1024`, onGuestStream }),
    accept: () => accepted.next(),
    open: () => offered.next(),
    stop: async () => {
      device.close();
      for (const socket of sockets) socket.destroy();
      await once(device, "close");
    },
  };
};

describe.each<[string, Connect]>([
  ["a serial port", overSerialPort],
  ["vsock", overVsock],
])("a guest's channel over %s", (_name, connect) => {
  let directory = "";
  let ends: Ends;
  let fromGuest: Arrivals<Duplex>;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "channel-"));
    fromGuest = new Arrivals();
    ends = await connect(directory, (stream) => {
      stream.on("error", () => undefined);
      fromGuest.push(stream);
    });
  });

  afterEach(async () => {
    ends.channel.close();
    await ends.stop();
    rmSync(directory, { recursive: true });
  });

  it("carries streams that the host opens, both ways, until both sides have ended", async () => {
    const host = await opened(ends.channel);
    host.end("from the host");
    const guest = await ends.accept();
    expect(await readToEnd(guest)).toBe("from the host");
    guest.end("from the guest");
    expect(await readToEnd(host)).toBe("from the guest");
  });

  it("carries streams that the guest opens, more than wait for it", async () => {
    for (const name of ["one", "two", "three", "four", "five"]) {
      const guest = await ends.open();
      guest.on("error", () => undefined);
      guest.end(name);
      const host = await fromGuest.next();
      expect(await readToEnd(host)).toBe(name);
      host.end(`answer to ${name}`);
      expect(await readToEnd(guest)).toBe(`answer to ${name}`);
    }
  });

  it("ends all of its streams when it is closed, and opens no more", async () => {
    const host = await opened(ends.channel);
    host.on("error", () => undefined).write("x");
    const guest = await ends.accept();
    guest.on("error", () => undefined).resume();
    const closed = Promise.all([host, guest].map((stream) => new Promise((resolve) => stream.once("close", resolve))));
    ends.channel.close();
    guest.end();
    await Promise.all([closed, ends.channel.ended]);
    expect(await ends.channel.openStream()).toBeUndefined();
  });
});

/** Once the guest can be reached. */
async function opened(channel: GuestChannel): Promise<Duplex> {
  for (;;) {
    const stream = await channel.openStream();
    if (stream !== undefined) return stream;
    await setImmediate();
  }
}

/** Without closing what is still to be written to. */
async function readToEnd(stream: Duplex): Promise<string> {
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  stream.resume();
  await once(stream, "end");
  return text;
}
