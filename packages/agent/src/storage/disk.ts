import { type EventEmitter, on } from "node:events";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { grpc } from "@kata-ts/agent-protocol";
import { mountInThread, openKernelEvents } from "@kata-ts/linux";
import { PLUGGED_DEADLINE_MS } from "../guest/plugged.ts";
import { findDisk } from "./find-disk.ts";
import { parseMountOptions } from "./mount-options.ts";

/** Mounts the file system of a disk, which is found by where the host has put it, waiting for it. */
export async function mountDisk(storage: grpc.Storage.$Properties, mountPoint: string): Promise<void> {
  const { flags, data } = parseMountOptions(storage.options ?? []);
  const name = await waitForDisk(storage.driver ?? "", storage.source ?? "");
  await mountInThread(`/dev/${name}`, mountPoint, storage.fstype ?? "", flags, data);
}

/** @returns the name of the disk that is there, such as `vdb`, once it has appeared and can be opened */
export async function waitForDisk(kind: string, where: string): Promise<string> {
  const events = openKernelEvents("devices");
  const signal = AbortSignal.timeout(PLUGGED_DEADLINE_MS);
  try {
    return await whenOpenable(() => findDisk(kind, where), events, signal);
  } catch (error) {
    throw signal.aborted ? new Error(`no disk of the kind ${kind} has appeared at ${where}`) : error;
  } finally {
    events.destroy();
  }
}

/**
 * Looks for a disk at once and after each event of the kernel.
 *
 * @param events the kernel's, opened before this is called
 * @throws AbortError when the signal comes first
 */
export async function whenOpenable(
  find: () => string | undefined,
  events: EventEmitter,
  signal: AbortSignal,
  dev = "/dev",
): Promise<string> {
  // What comes during a look is kept for the next one.
  const changes = on(events, "data", { signal });
  for (;;) {
    const name = find();
    if (name !== undefined && (await canBeOpened(`${dev}/${name}`))) return name;
    await changes.next();
  }
}

/**
 * The kernel shows a disk in sysfs first, then makes its node (ENOENT until then), then lets it be opened (ENXIO until
 * then), and sends its event at the end.
 */
async function canBeOpened(device: string): Promise<boolean> {
  try {
    const file = await open(device, constants.O_RDONLY | constants.O_NONBLOCK);
    await file.close();
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The caller meets any other failure when it uses the disk, and reports it with what it was used for.
    return code !== "ENOENT" && code !== "ENXIO";
  }
}
