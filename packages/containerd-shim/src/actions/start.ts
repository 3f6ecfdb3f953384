import { spawn } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { LinuxError, listenUnix } from "@kata-ts/linux";
import { ownCommand } from "@kata-ts/linux/arguments";
import { addressOf, isServed, socketPath } from "../address.ts";
import type { ShimFlags } from "../flags.ts";
import { groupOf } from "../group.ts";
import type { ShimLog } from "../log.ts";

const BACKLOG = 128;

/**
 * `start`: containerd wants a process for a container, and gets the address of its pod's: of the one that there is, or of a new
 * one. Its working directory is the container's bundle.
 */
export async function start(flags: ShimFlags, log: ShimLog): Promise<string> {
  const group = groupOf(process.cwd(), flags.id);
  const path = socketPath(flags.address, flags.namespace, group);
  const socket = await listenUnlessServed(path);
  if (socket !== undefined) {
    try {
      serveInOwnProcess({ ...flags, id: group }, socket, log);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    } finally {
      closeSync(socket);
    }
  }
  const address = addressOf(path);
  // containerd 1.6 finds the process by it when it has been restarted.
  writeFileSync("address", address, { mode: 0o600 });
  return address;
}

/** @returns a socket that listens; undefined where a process serves the pod already */
async function listenUnlessServed(path: string): Promise<number | undefined> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  try {
    return listen(path);
  } catch (error) {
    if (!(error instanceof LinuxError) || error.errno !== "EADDRINUSE") throw error;
  }
  if (await isServed(path)) return undefined;
  // Of a process that was killed.
  rmSync(path, { force: true });
  return listen(path);
}

function listen(path: string): number {
  const fd = listenUnix(path, BACKLOG);
  chmodSync(path, 0o600);
  return fd;
}

/**
 * The same program, which serves the socket: in a session of its own, with nothing else of ours open. containerd may connect
 * before it has loaded: the socket listens.
 */
function serveInOwnProcess(flags: ShimFlags, socket: number, log: ShimLog): void {
  const [program = "", ...first] = ownCommand();
  const { namespace, id, address, publishBinary, debug } = flags;
  const args = ["-namespace", namespace, "-id", id, "-address", address, "-publish-binary", publishBinary];
  if (debug) args.push("-debug");
  const child = spawn(program, [...first, ...args], {
    stdio: ["ignore", "ignore", "ignore", socket],
    detached: true,
  });
  if (child.pid === undefined) throw new Error(`${program} could not be started`);
  child.unref();
  writeFileSync("shim.pid", String(child.pid));
  adjustOomScore(child.pid, log);
}

/** The kernel ends a pod before the engine that watches over it: its score is one above the engine's. */
function adjustOomScore(pid: number, log: ShimLog): void {
  const file = (of: number): string => `/proc/${String(of)}/oom_score_adj`;
  try {
    const score = Number(readFileSync(file(process.ppid), "latin1"));
    writeFileSync(file(pid), String(Math.min(score + 1, 1000)));
  } catch (error) {
    log.warning(`the OOM score of process ${String(pid)} stays as it is: ${String(error)}`);
  }
}
