import { createSocket, type Socket as DatagramSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from "node:net";
import { connectTcp, openDatagrams } from "@kata-ts/linux";
import { NetnsError } from "../errors.ts";
import { inNetworkNamespace } from "../namespace.ts";
import type { GuestPlace } from "./guest-port.ts";
import { takenAddresses } from "./local-ports.ts";

/** A port of the host that leads to a port of a guest. */
export interface PublishedPort {
  readonly host: number;
  readonly container: number;
  readonly protocol: "tcp" | "udp";
  /** The host's address that is listened at. */
  readonly address: string;
}

/** A port of the host that is asked for. */
export interface WantedPort extends PublishedPort {
  /** 0 is any that is free. */
  readonly host: number;
  /** Where `host` is 0: any of these that is free, and no other. */
  readonly among?: readonly number[] | undefined;
}

/** Connections, and senders of datagrams, that one port serves at a time. */
const MAX_CLIENTS = 512;
/** A sender of datagrams that is silent for so long may be forgotten. */
const IDLE_MS = 60_000;

/**
 * Listens at a port of the host, in the host's network, and hands on to the guest by its router.
 *
 * @throws NetnsError KATA_NETWORK where the port, or each of those that may be, is in use
 */
export async function publishPort(
  guest: GuestPlace,
  wanted: WantedPort,
): Promise<{ readonly port: PublishedPort; readonly close: () => void }> {
  const { host, container, protocol, address, among = [host] } = wanted;
  let failure: unknown;
  for (const candidate of among) {
    const asked: PublishedPort = { host: candidate, container, protocol, address };
    try {
      const found = protocol === "tcp" ? await publishTcp(guest, asked) : await publishUdp(guest, asked);
      return { close: found.close, port: { ...asked, host: found.host } };
    } catch (error) {
      failure = error;
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") break; // So it is with all others.
    }
  }
  const reason =
    failure === undefined ? "there is none" : reasonFor(failure, { ...wanted, host: among.at(-1) ?? host });
  throw new NetnsError(
    "KATA_NETWORK",
    `port ${numbersOf(wanted)}/${protocol} of ${address} cannot be published: ${reason}`,
    { cause: failure, hint: "choose another port, or 0 for any that is free, and an address that the host has" },
  );
}

/** `8080`; of several `8000-8010`. */
function numbersOf({ host, among }: WantedPort): string {
  if (among === undefined || among.length === 0) return String(host);
  return [...new Set([among[0], among.at(-1)])].join("-");
}

/** What is in the way may be at another address: 0.0.0.0 is all of them. */
function reasonFor(error: unknown, { host, protocol, address }: PublishedPort): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== "EADDRINUSE") return code ?? message;
  const isAny = (each: string): boolean => each === "0.0.0.0" || each === "::";
  const taken = takenAddresses(host, protocol).filter((each) => isAny(address) || isAny(each) || each === address);
  return taken.length === 0 ? code : `${taken.map((each) => placeOf(each, host)).join(", ")} is taken`;
}

function placeOf(address: string, port: number): string {
  return `${isIPv6(address) ? `[${address}]` : address}:${String(port)}`;
}

interface Published {
  readonly host: number;
  readonly close: () => void;
}

async function publishTcp({ namespace, address }: GuestPlace, wanted: PublishedPort): Promise<Published> {
  const open: Set<Socket> = new Set();
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    const guest = attempt(() => inNetworkNamespace(namespace, () => connectTcp(address, wanted.container)));
    if (guest === undefined) {
      client.on("error", () => undefined).destroy();
      return;
    }
    for (const [socket, other] of [
      [client, guest],
      [guest, client],
    ] as const) {
      open.add(socket);
      socket.unref();
      socket.on("error", () => other.destroy());
      socket.once("close", () => {
        open.delete(socket);
        other.destroy();
      });
    }
    client.pipe(guest).pipe(client);
  });
  server.maxConnections = MAX_CLIENTS;
  server.listen({ host: wanted.address, port: wanted.host, exclusive: true });
  await once(server, "listening");
  // A connection that cannot be accepted, such as for want of descriptors, is its client's loss: unheard, the error would end the program.
  server.on("error", () => undefined);
  server.unref();
  const close = (): void => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return { host: (server.address() as AddressInfo).port, close };
}

/** Each sender has a socket of its own towards the guest, so that answers find their way. */
async function publishUdp({ namespace, address }: GuestPlace, wanted: PublishedPort): Promise<Published> {
  const senders: Map<string, { readonly socket: DatagramSocket; readonly timer: NodeJS.Timeout }> = new Map();
  const server = createSocket(isIPv6(wanted.address) ? "udp6" : "udp4");
  const forget = (key: string): void => {
    const known = senders.get(key);
    senders.delete(key);
    clearTimeout(known?.timer);
    known?.socket.close();
  };
  const answerTo = (from: RemoteInfo): DatagramSocket | undefined => {
    const key = `${from.address} ${String(from.port)}`;
    const known = senders.get(key);
    known?.timer.refresh();
    if (known !== undefined) return known.socket;
    const [oldest] = senders.keys();
    if (senders.size >= MAX_CLIENTS && oldest !== undefined) forget(oldest);
    const fd = attempt(() => inNetworkNamespace(namespace, () => openDatagrams()));
    if (fd === undefined) return undefined;
    const socket = createSocket("udp4");
    senders.set(key, { socket, timer: setTimeout(forget, IDLE_MS, key).unref() });
    socket.on("error", () => undefined); // The guest does not listen: datagrams are lost, as in any network.
    socket.on("message", (answer, { address: sender, port }) => {
      if (sender === address && port === wanted.container) server.send(answer, from.port, from.address);
    });
    socket.bind({ fd }).unref();
    return socket;
  };
  server.on("message", (datagram, from) => {
    // To port 0 no answer can be sent: Node throws for it.
    if (from.port !== 0) answerTo(from)?.send(datagram, wanted.container, address);
  });
  server.bind({ port: wanted.host, address: wanted.address, exclusive: true });
  await once(server, "listening").catch((error: unknown) => {
    server.close();
    throw error;
  });
  server.on("error", () => undefined);
  server.unref();
  const close = (): void => {
    for (const key of [...senders.keys()]) forget(key);
    server.close();
  };
  return { host: server.address().port, close };
}

/** Undefined where the router has gone, or too many descriptors are open: the client is turned away, and others are served. */
function attempt<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
}
