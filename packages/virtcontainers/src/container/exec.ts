import type { SpecProcess } from "@kata-ts/agent-protocol";
import { randomUuid } from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import type { ContainerId } from "../identifiers.ts";
import type { Ports } from "../ports/ports.ts";
import type { Shim } from "../ports/shims.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { UndoStack } from "../undo.ts";
import { type ExecWishes, execInGuest } from "./in-guest.ts";
import { shimTarget } from "./shim-target.ts";
import { requireStatus, statusOf } from "./status.ts";
import { terminalOf } from "./terminal.ts";

export interface ExecOptions extends ExecWishes {
  /** With `process.terminal`: a unix socket that is sent the terminal's master. */
  readonly consoleSocket?: string | undefined;
  /** This process does not wait for its shim. */
  readonly detached?: boolean | undefined;
  /** Also in a paused container: the process then waits for its resume. */
  readonly ignorePaused?: boolean | undefined;
}

const SIGKILL = 9;

/** Runs another process in a running container. @returns its shim, which exits with the process's status */
export async function execInContainer(
  id: ContainerId,
  process: SpecProcess,
  options: ExecOptions,
  ports: Ports<"store" | "shims" | "cgroups" | "connectAgent">,
): Promise<Shim> {
  const record = await ports.store.read(id);
  if (statusOf(record) === "paused" && options.ignorePaused !== true) {
    throw new KataError("KATA_STATE", "cannot exec in a paused container (use --ignore-paused to override)");
  }
  const vm = requireStatus(record, "exec in", "created", "running", "paused");
  const execId = randomUuid();
  using agent = ports.connectAgent(vm.agentUrl);
  await using undo = new UndoStack();
  const { detached, consoleSocket } = options;
  const shim = ports.shims.launch({ containerId: id, execId, detached, ...terminalOf(process, consoleSocket) });
  undo.push(() => {
    shim.kill();
  });
  ports.cgroups.add(record.cgroup, shim.identity.pid);
  const names = { container_id: id, exec_id: execId };
  const { token, warnings } = await wrapAgentError(
    `exec in container ${id}`,
    execInGuest(agent, names, process, options),
  );
  undo.push(async () => {
    await agent.signalProcess({ ...names, signal: SIGKILL });
  });
  for (const warning of warnings) ports.warn(warning);
  await shim.connect(shimTarget(vm, token));
  ports.trace?.("exec-started", id);
  undo.keep();
  return shim;
}
