import type { Duplex } from "node:stream";
import { serveProcessStream } from "@kata-ts/agent-protocol/process-stream";
import { log } from "../log.ts";
import type { ContainerProcess } from "./container-process.ts";

/** How long a process outlives the channel over which it was owned. */
const CHANNEL_GRACE_MS = 10_000;
const SIGKILL = 9;

const owned: WeakMap<ContainerProcess, Promise<void>> = new WeakMap();

/**
 * Serves a process over a stream, which then owns it: cut off, it takes the process with it, as a shim that is killed
 * has to. When the whole channel went away, the host may come back for it within a while.
 *
 * @param channelIsOver whether the session of this stream has ended
 * @param forget called once no call can ask for the process's status any more
 */
export function serveOwned(
  connection: Duplex,
  process: ContainerProcess,
  channelIsOver: () => boolean,
  forget: () => void,
): void {
  if (owned.has(process)) {
    connection.destroy();
    return;
  }
  const serving = serveProcessStream(connection, process.streamed(forget)).then((end) => {
    owned.delete(process);
    if (end !== "lost") return;
    if (channelIsOver()) setTimeout(endIfNobodyCame, CHANNEL_GRACE_MS, process, forget);
    else endOrphan(process, forget);
  });
  owned.set(process, serving);
}

function endIfNobodyCame(process: ContainerProcess, forget: () => void): void {
  if (!owned.has(process)) endOrphan(process, forget);
}

function endOrphan(process: ContainerProcess, forget: () => void): void {
  if (process.running) log(`process ${process.execId} lost its stream: it is killed`);
  if (process.ownCgroup === undefined) process.signal(SIGKILL);
  else process.killAll();
  void process.exited.then(forget);
}
