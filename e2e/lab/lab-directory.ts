import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorOf } from "./machine.ts";

const PREFIX = "kata-lab-";
/** QEMU opens its sockets within this time of the directory's making. */
const START_MS = 60_000;

/** A directory for a host's sockets, console and disks. Those that a killed runner has left are removed first. */
export async function makeLabDirectory(): Promise<string> {
  for (const name of readdirSync(tmpdir())) {
    const directory = join(tmpdir(), name);
    if (name.startsWith(PREFIX) && (await isAbandoned(directory))) rmSync(directory, { recursive: true, force: true });
  }
  return mkdtempSync(join(tmpdir(), PREFIX));
}

/** Process ids would not do: the host may belong to another pid namespace. Its monitor listens as long as it lives. */
async function isAbandoned(directory: string): Promise<boolean> {
  const made = statSync(directory, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  if (Date.now() - made < START_MS) return false;
  const socket = connect(monitorOf(directory));
  try {
    await once(socket, "connect");
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}
