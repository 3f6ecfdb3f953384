import { randomInt } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AGENT_VSOCK_PORT } from "@kata-ts/agent-protocol/guest-contract";
import {
  descriptorOf,
  LinuxError,
  openVhostVsock,
  Silence,
  SpawnError,
  spawnTied,
  type TiedProcess,
} from "@kata-ts/linux";
import type { VsockDevice } from "./machine-launcher.ts";
import type { VmSpec } from "./vm-spec.ts";

/** What backs a VM's vsock device. Disposing it closes its descriptor: the monitor has its own copy by then. */
export interface Vsock extends Disposable {
  /** Where the host reaches the agent. */
  readonly agentUrl: string;
  readonly device: VsockDevice;
  /** Ends with this process; the VM is of no use without it. */
  readonly daemon: TiedProcess | undefined;
  /** Where the device has a socket in a directory of its own, which a process without any other file reaches the agent from. */
  readonly place: SocketPlace | undefined;
  /** To be called when the agent listens. */
  guestIsReady(): void;
}

/** A directory with nothing but a unix socket, once that is there. */
export interface SocketPlace {
  readonly directory: string;
  readonly socket: string;
  /** As Vsock.agentUrl, for a process whose root directory this is. */
  readonly agentUrl: string;
  /** Resolves when the socket is there. */
  readonly ready: Promise<void>;
}

/** Below are the hypervisor's, the guest's own, and the host's. */
const FIRST_CID = 3;
/** Above is what stands for any. */
const LAST_CID = 0xffff_fffe;
const ATTEMPTS = 16;
const DAEMON_SILENCE_MS = 5_000;
/**
 * What a guest may send before it is read, and so a packet's largest size. Linux cuts larger packets into pieces, which
 * vhost-device-vsock 0.3 drops without a word.
 */
const WINDOW_BYTES = 28 * 1024;

/** @throws LinuxError, SpawnError when there is no vsock on this host, or the daemon does not start; nothing is left then */
export async function openVsock(spec: Pick<VmSpec, "dir" | "vsock">): Promise<Vsock | undefined> {
  if (spec.vsock === undefined) return undefined;
  return spec.vsock.daemonPath === undefined ? ofTheKernel() : ofDaemon(spec.vsock.daemonPath, spec.dir);
}

/** The kernel gives a context id to one descriptor at a time: a runtime that chooses the same at this moment chooses again. */
function ofTheKernel(): Vsock {
  const { cid, descriptor } = chooseCid();
  return {
    agentUrl: `vsock://${String(cid)}:${String(AGENT_VSOCK_PORT)}`,
    device: { kind: "vhost", cid, fd: descriptor },
    daemon: undefined,
    place: undefined,
    guestIsReady: () => undefined,
    [Symbol.dispose]: () => {
      closeSync(descriptor);
    },
  };
}

function chooseCid(): { readonly cid: number; readonly descriptor: number } {
  for (let attempt = 1; ; attempt += 1) {
    const cid = randomInt(FIRST_CID, LAST_CID);
    try {
      return { cid, descriptor: openVhostVsock(cid) };
    } catch (error) {
      const isTaken = error instanceof LinuxError && error.errno === "EADDRINUSE";
      if (!isTaken || attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * Each daemon knows one guest only: all of them may have the same context id. Its socket gets the name by which it is dialled when
 * the agent listens: version 0.3 serves nothing any more after a connection that comes while the guest's driver starts.
 */
async function ofDaemon(path: string, dir: string): Promise<Vsock> {
  const device = join(dir, "vhost-vsock.sock");
  const early = join(dir, "vsock.early");
  const directory = join(dir, "vsock");
  mkdirSync(directory, { mode: 0o711 });
  const name = "agent.sock";
  const host = join(directory, name);
  const port = String(AGENT_VSOCK_PORT);
  const ready = Promise.withResolvers<void>();
  const argv = [
    "--guest-cid",
    String(FIRST_CID),
    "--socket",
    device,
    "--uds-path",
    early,
    "--tx-buffer-size",
    String(WINDOW_BYTES),
  ];
  const daemon = spawnTied(path, argv, ["ignore", "ignore", "pipe"], { withoutCapabilities: true });
  try {
    await listens(daemon, path, [device, early]);
    // The monitor may live where it sees no directory of the host's.
    const connection = await connectQuietly(device);
    return {
      agentUrl: `hvsock://${host}:${port}`,
      device: { kind: "vhost-user", fd: descriptorOf(connection) },
      daemon,
      place: { directory, socket: host, agentUrl: `hvsock:///${name}:${port}`, ready: ready.promise },
      guestIsReady: () => {
        if (!existsSync(early)) return; // A directory that is being removed has none.
        renameSync(early, host);
        ready.resolve();
      },
      [Symbol.dispose]: () => {
        connection.destroy();
      },
    };
  } catch (error) {
    daemon.child.kill("SIGKILL");
    throw error;
  }
}

/** A connection that Node reads nothing of. */
async function connectQuietly(path: string): Promise<Socket> {
  const socket = connect(path).pause();
  await once(socket, "connect");
  return socket;
}

async function listens(daemon: TiedProcess, path: string, sockets: readonly string[]): Promise<void> {
  const silence = new Silence(daemon.pid, DAEMON_SILENCE_MS);
  while (!sockets.every((socket) => existsSync(socket))) {
    const ended = daemon.child.exitCode !== null || daemon.child.signalCode !== null;
    if (ended || silence.isOver()) {
      throw new SpawnError(`${path} ${ended ? "ended" : "did not listen"}: is it vhost-device-vsock?`);
    }
    await delay(2);
  }
}
