import { type BundleRequest, createFromBundle } from "@kata-ts/runtime";
import { deleteContainer, startContainer, undoAfter } from "@kata-ts/virtcontainers";
import type { Context } from "../context.ts";
import { Foreground } from "./foreground.ts";
import { Interruption } from "./interruption.ts";
import { writePidFile } from "./pid-file.ts";

/** A container to be run, with this program's streams or without. */
export interface RunRequest extends Omit<BundleRequest, "signal"> {
  /** It is not waited for. */
  readonly detached: boolean;
  /** It is not deleted when it has ended. */
  readonly keep: boolean;
  /** Written with the pid of its shim. */
  readonly pidFile?: string | undefined;
}

/** Creates a container, starts it, waits for it and deletes it. @returns its exit status; 0 for one that is detached */
export async function runContainer(request: RunRequest, context: Context): Promise<number> {
  const { id, bundle, detached, keep, pidFile } = request;
  const { shim, environment } = await createInterruptibly(request, context);
  if (pidFile !== undefined) writePidFile(pidFile, shim.identity.pid);
  using foreground = detached ? undefined : new Foreground(bundle.spec.process?.terminal === true);
  try {
    await startContainer(id, environment);
  } catch (error) {
    await undoAfter(error, () => deleteContainer(id, { force: true }, environment));
    throw error;
  }
  if (foreground === undefined) return 0;
  const status = await foreground.wait(shim);
  if (!keep) await deleteContainer(id, { force: true }, environment);
  return status;
}

/** A signal that would end this program ends the creation instead, which takes back what was made. */
export async function createInterruptibly(
  request: Omit<BundleRequest, "signal">,
  context: Context,
): ReturnType<typeof createFromBundle> {
  using interruption = new Interruption();
  return await createFromBundle({ ...request, signal: interruption.signal }, context);
}
