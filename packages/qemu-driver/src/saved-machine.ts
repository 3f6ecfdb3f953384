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
  await leaveMemoryOut(qmp);
  await qmp.execute("stop");
  await qmp.execute("getfd", { fdname: DESCRIPTOR_NAME }, { descriptor });
  const over = migrationOver(qmp);
  await qmp.execute("migrate", { uri: `fd:${DESCRIPTOR_NAME}` });
  await over;
}

/**
 * Makes a machine that was started with `incoming` what another one was when it was saved. Both need the same
 * VmConfig but for names and paths, and this one's memory a copy of the other's.
 *
 * @param descriptor of a file that saveMachine has written, at its begin
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
      if (data.status !== "completed") throw new QemuError("KATA_QMP_COMMAND", "QEMU could not take the machine over");
    });
  over.catch(() => undefined);
  return over;
}
