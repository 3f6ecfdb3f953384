import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { COMMIT } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import type { StartedSupervisor } from "./started-supervisor.ts";

/** A supervisor that can answers at once. */
const SILENCE_MS = 10_000;

/** A supervisor that this process has not started: a connection to it stands for the pipe of its starter. */
export function supervisorOver(control: Socket, end: () => void): StartedSupervisor {
  let committed = false;
  const ended: Promise<undefined> = new Promise((resolve) => {
    const onClose = (): void => {
      if (!committed) resolve(undefined);
    };
    // The supervisor may have ended since it answered.
    if (control.closed) onClose();
    else control.once("close", onClose);
  });
  control.resume();
  return {
    ended,
    commit: () => {
      committed = true;
      control.end(COMMIT);
    },
    letGo: () => {
      committed = true;
      return letGoOver(control);
    },
    unref: () => {
      control.unref();
    },
    stop: async () => {
      end();
      await ended;
    },
  };
}

/**
 * Commits, and waits until the supervisor knows: it closes the pipe then, as it does when it ends.
 *
 * @throws KataError KATA_PROXY where it does neither: it may know so later
 */
export async function letGoOver(control: Socket): Promise<void> {
  control.ref();
  const closed = control.closed ? Promise.resolve() : once(control, "close").then(() => undefined);
  control.end(COMMIT);
  control.resume();
  const giveUp = new AbortController();
  const silence = delay(SILENCE_MS, "silent", { signal: giveUp.signal });
  silence.catch(() => undefined);
  const outcome = await Promise.race([closed, silence]);
  giveUp.abort();
  control.unref();
  if (outcome === "silent")
    throw new KataError("KATA_PROXY", "the VM's kata-proxy does not answer: it was asked to let go of it", {
      hint: "it lets go once it goes on: Sandbox.list() shows whether it has; remove() there ends it by force",
    });
}
