import { randomUUID } from "node:crypto";
import { processToMessage, type SpecProcess } from "@kata-ts/agent-protocol";
import type { ShimEnvironment } from "../environment.ts";
import type { ContainerId } from "../identifiers.ts";
import type { Shim } from "../ports/shims.ts";
import { asked } from "../sandbox/create.ts";
import { UndoStack } from "../undo.ts";
import { requireStatus } from "./status.ts";

/** Runs another process in a running container. @returns its shim, which exits with the process's status */
export async function execInContainer(
  id: ContainerId,
  process: SpecProcess,
  environment: ShimEnvironment,
): Promise<Shim> {
  await using undo = new UndoStack();
  const vm = requireStatus(await environment.store.read(id), "exec in", "created", "running");
  const execId = randomUUID();
  const shim = environment.shims.launch({ containerId: id, execId });
  undo.push(() => {
    shim.kill();
  });
  using agent = environment.connectAgent(vm.agentUrl);
  const request = { container_id: id, exec_id: execId, process: processToMessage(process) };
  await asked(`exec in container ${id}`, agent.execProcess(request));
  await shim.connect(vm.agentUrl);
  undo.keep();
  return shim;
}
