import type { Socket } from "node:net";
import { connected, connectTcp } from "@kata-ts/linux";
import { NetnsError } from "../errors.ts";
import { inNetworkNamespace } from "../namespace.ts";

/** A guest, as its router reaches it. */
export interface GuestPlace {
  /** A path to the router's network namespace. */
  readonly namespace: string;
  /** The guest's address. */
  readonly address: string;
}

export interface ConnectOptions {
  /** Milliseconds; 10 000 by default. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

const DEADLINE_MS = 10_000;

/**
 * Connects to a TCP port of a guest. A guest that answers nothing keeps no caller longer than the deadline.
 *
 * @throws NetnsError KATA_NETWORK, and the signal's reason
 */
export async function connectGuest(
  { namespace, address }: GuestPlace,
  port: number,
  { timeoutMs = DEADLINE_MS, signal }: ConnectOptions = {},
): Promise<Socket> {
  signal?.throwIfAborted();
  const place = `port ${String(port)} of the sandbox`;
  const socket = begin({ namespace, address }, port, place);
  const timer = setTimeout(() => {
    const waited = `it has not answered for ${String(timeoutMs)} ms`;
    socket.destroy(new NetnsError("KATA_NETWORK", `${place} cannot be connected to: ${waited}`));
  }, timeoutMs);
  const abort = (): void => {
    socket.destroy(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
  };
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await connected(socket);
  } catch (error) {
    signal?.throwIfAborted();
    throw notConnected(place, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

function begin({ namespace, address }: GuestPlace, port: number, place: string): Socket {
  try {
    return inNetworkNamespace(namespace, () => connectTcp(address, port));
  } catch (error) {
    throw notConnected(place, error);
  }
}

function notConnected(place: string, error: unknown): NetnsError {
  if (error instanceof NetnsError) return error;
  return new NetnsError("KATA_NETWORK", `${place} cannot be connected to: ${(error as Error).message}`, {
    cause: error,
    hint: "a program of a container has to listen there, on the address 0.0.0.0",
  });
}
