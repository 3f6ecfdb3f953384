import { setTimeout as delay } from "node:timers/promises";
import { QemuError } from "./errors.ts";
import type { QmpClient } from "./qmp/client.ts";

/** The guest lets go of a device first, which takes it five seconds: PCI Express has its button blink that long. */
const DEADLINE_MS = 20_000;
/** Between two questions whether the slot is at rest. */
const LOOK_MS = 50;

export interface UnplugOptions {
  /** Milliseconds for the guest; 20 000 by default. With 0 it is only looked whether the device is out. */
  readonly deadlineMs?: number | undefined;
}

/**
 * Takes a device out: resolves when the guest has let go of it.
 *
 * @throws QemuError KATA_QMP_TIMEOUT when it does not, which it may do later; one that `isNotThere` knows
 */
export async function unplugDevice(
  qmp: QmpClient,
  id: string,
  { deadlineMs = DEADLINE_MS }: UnplugOptions = {},
): Promise<void> {
  const giveUpAt = performance.now() + deadlineMs;
  const gone = qmp.waitForEvent(({ event, data }) => event === "DEVICE_DELETED" && data.device === id, {
    deadlineMs,
  });
  gone.catch(() => undefined);
  while (!(await isAsked(qmp, id)) && performance.now() < giveUpAt) await delay(LOOK_MS);
  await gone;
}

/** Whether a device could not be taken out because there is none: an earlier call may have given up, and the guest let go of it later. */
export function isNotThere(error: unknown): boolean {
  return error instanceof QemuError && error.message.includes("DeviceNotFound");
}

/** @returns false while the guest powers the slot up, for what was plugged in just now: QEMU has no event for its end */
async function isAsked(qmp: QmpClient, id: string): Promise<boolean> {
  try {
    await qmp.execute("device_del", { id });
    return true;
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    if (error.message.includes("power indicator blinking")) return false;
    // An earlier call has asked, and given up.
    if (error.message.includes("in the process of unplug")) return true;
    throw error;
  }
}
