import type { QmpClient } from "@kata-ts/qemu-driver";

const DEADLINE_MS = 120_000;

/** Writes or reads a machine's state, all of it, and waits for the end. */
export async function migration(qmp: QmpClient, command: "migrate" | "migrate-incoming", uri: string): Promise<void> {
  await qmp.execute("migrate-set-capabilities", { capabilities: [{ capability: "events", state: true }] });
  const over = qmp.waitForEvent(
    ({ event, data }) => event === "MIGRATION" && (data.status === "completed" || data.status === "failed"),
    { deadlineMs: DEADLINE_MS },
  );
  over.catch(() => undefined); // Awaited below, after the command that starts it.
  await qmp.execute(command, { uri });
  const { data } = await over;
  if (data.status !== "completed") throw new Error(`QEMU's ${command} ${uri} has failed`);
}
