import { setTimeout as delay } from "node:timers/promises";
import { QemuError } from "./errors.ts";
import type { QmpClient } from "./qmp/client.ts";

/** Processors and devices are some hundred kilobytes: it takes milliseconds, where there is a processor for it. */
const MIGRATION_DEADLINE_MS = 30_000;
const DESCRIPTOR_NAME = "machine-state";

/**
 * Stops a machine for good and writes its processors and devices to a descriptor. Its memory is not among it: that is
 * the file behind `VmConfig.memoryFile`, to be copied now.
 *
 * @throws QemuError
 */
export async function saveMachine(qmp: QmpClient, descriptor: number): Promise<void> {
  await qmp.execute("stop");
  await writeState(qmp, descriptor);
}

/** What belongs to a saved machine beside its state. */
export interface SaveWork {
  /** Copies memory and disks, none of which changes meanwhile. */
  readonly whileStopped: () => Promise<void>;
  /** The machine goes on when all is saved, as it does when that fails. */
  readonly leaveRunning: boolean;
}

/**
 * Saves a machine that runs. It stands still while its state is written and `whileStopped` runs; where anything of that
 * fails, it goes on as if nothing had been asked for.
 *
 * @param descriptor of a file that no write waits for: QEMU does nothing else while it writes
 * @throws QemuError, of which KATA_QMP_STOPPED says that it does not go on; whatever `whileStopped` throws
 */
export async function saveRunningMachine(qmp: QmpClient, descriptor: number, work: SaveWork): Promise<void> {
  const { status } = (await qmp.execute("query-status")) as { readonly status: string };
  if (status !== "running") throw new QemuError("KATA_QMP_COMMAND", `the machine is not running: it is ${status}`);
  try {
    await qmp.execute("stop");
    await writeState(qmp, descriptor);
    await work.whileStopped();
  } catch (error) {
    await letGoOn(qmp, error);
    throw error;
  }
  if (work.leaveRunning) await letGoOn(qmp);
}

/** @throws QemuError KATA_QMP_STOPPED, with what has failed before, if anything has */
async function letGoOn(qmp: QmpClient, failure?: unknown): Promise<void> {
  try {
    await qmp.execute("cont");
  } catch (error) {
    const why = failure === undefined ? "" : `${reasonOf(failure)}; and `;
    throw new QemuError("KATA_QMP_STOPPED", `${why}the machine stands still: ${reasonOf(error)}`, {
      cause: failure ?? error,
    });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const LOOK_MS = 20;

/** Lets a machine go on that saveRunningMachine has left standing still, because its caller was killed. Idempotent. */
export async function continueMachine(qmp: QmpClient): Promise<void> {
  const { status } = (await qmp.execute("query-status")) as { readonly status: string };
  if (status === "running") return;
  await qmp.execute("migrate_cancel");
  const giveUpAt = performance.now() + MIGRATION_DEADLINE_MS;
  while (isUnderWay(await qmp.execute("query-migrate")) && performance.now() < giveUpAt) await delay(LOOK_MS);
  await qmp.execute("cont");
}

function isUnderWay(migration: unknown): boolean {
  const { status = "none" } = migration as { readonly status?: string };
  return !["none", "completed", "failed", "cancelled"].includes(status);
}

/**
 * Makes a machine that was started with `incoming` what another one was when it was saved. Both need the same
 * VmConfig but for names and paths, the same devices plugged in at the same places, and this one's memory a copy of the
 * other's.
 *
 * @param descriptor of a file with a saved machine's state, at its begin
 * @throws QemuError; the machine is of no use then
 */
export async function restoreMachine(qmp: QmpClient, descriptor: number): Promise<void> {
  await leaveMemoryOut(qmp);
  await qmp.execute("getfd", { fdname: DESCRIPTOR_NAME }, { descriptor });
  const over = migrationOver(qmp);
  await qmp.execute("migrate-incoming", { uri: `fd:${DESCRIPTOR_NAME}` });
  await over;
  await qmp.execute("cont"); // It was saved standing still.
}

async function writeState(qmp: QmpClient, descriptor: number): Promise<void> {
  await leaveMemoryOut(qmp);
  await qmp.execute("getfd", { fdname: DESCRIPTOR_NAME }, { descriptor });
  const over = migrationOver(qmp);
  await qmp.execute("migrate", { uri: `fd:${DESCRIPTOR_NAME}` });
  try {
    await over;
  } catch (error) {
    // A machine that goes on would be stopped by it later.
    await qmp.execute("migrate_cancel").catch(() => undefined);
    throw error;
  }
}

async function leaveMemoryOut(qmp: QmpClient): Promise<void> {
  const capabilities = ["x-ignore-shared", "events"].map((capability) => ({ capability, state: true }));
  await qmp.execute("migrate-set-capabilities", { capabilities });
}

/** Rejections show where it is awaited, after the command that starts the migration. */
function migrationOver(qmp: QmpClient): Promise<void> {
  const isOver = (status: unknown): boolean => status === "completed" || status === "failed";
  const over = qmp
    .waitForEvent(({ event, data }) => event === "MIGRATION" && isOver(data.status), {
      deadlineMs: MIGRATION_DEADLINE_MS,
    })
    .then(({ data }) => {
      if (data.status !== "completed")
        throw new QemuError("KATA_QMP_COMMAND", "QEMU could not write or read the machine's state");
    });
  over.catch(() => undefined);
  return over;
}
