import { expect, it } from "vitest";
import { QemuError } from "./errors.ts";
import type { QmpClient } from "./qmp/client.ts";
import { saveRunningMachine } from "./saved-machine.ts";

/** A monitor that does all it is asked for, but does not let its machine go on. */
function monitorThatStops(): { readonly qmp: QmpClient; readonly commands: string[] } {
  const commands: string[] = [];
  const qmp = {
    execute: async (command: string): Promise<unknown> => {
      commands.push(command);
      if (command === "cont") throw new QemuError("KATA_QMP_TIMEOUT", "QEMU did not answer");
      return { status: "running" };
    },
    waitForEvent: async () => ({ event: "MIGRATION", data: { status: "completed" } }),
  };
  return { qmp: qmp as unknown as QmpClient, commands };
}

it.each<[string, () => Promise<void>, boolean, string]>([
  [
    "that failed to be saved",
    () => Promise.reject(new Error("no space left")),
    false,
    "no space left; and the machine stands still: QEMU did not answer",
  ],
  ["that is saved", () => Promise.resolve(), true, "the machine stands still: QEMU did not answer"],
])(
  "a machine %s is said to stand still where it cannot be let go on",
  async (_, whileStopped, leaveRunning, message) => {
    const { qmp, commands } = monitorThatStops();
    const saving = saveRunningMachine(qmp, 0, { whileStopped, leaveRunning });
    await expect(saving).rejects.toMatchObject({ code: "KATA_QMP_STOPPED", message });
    expect(commands.at(-1)).toBe("cont");
  },
);

it("a machine that is to stand still is left so", async () => {
  const { qmp, commands } = monitorThatStops();
  await saveRunningMachine(qmp, 0, { whileStopped: () => Promise.resolve(), leaveRunning: false });
  expect(commands).not.toContain("cont");
});
