import type { Duplex } from "node:stream";

/** The supervisor's end of what connects a VM's host with its guest. */
export interface GuestChannel {
  /** Resolves when the channel is lost, or was closed. A channel that has no end of its own ends with the VM. */
  readonly ended: Promise<void>;
  /** Resolves once no file is needed any more to reach the guest, but the socket of its device, or the channel is lost. Never rejects. */
  readonly connected: Promise<void>;
  /** Of a guest that is reached by a path: see SocketPlace. */
  moveTo?(agentUrl: string): void;
  /** A stream to the agent; undefined while the guest cannot be reached, or takes no more. */
  openStream(): Duplex | undefined | Promise<Duplex | undefined>;
  /** From now on nothing of it keeps this process running. */
  unref(): void;
  /** Ends it with all of its streams. Idempotent. */
  close(): void;
}
