import type { grpc } from "@kata-ts/agent-protocol";
import type { Commands } from "../commands.ts";
import { internal } from "../errors.ts";

/** @throws AgentRpcError with modprobe's words */
export async function loadKernelModules(
  commands: Commands,
  modules: readonly grpc.KernelModule.$Properties[],
): Promise<void> {
  for (const { name = "", parameters } of modules) {
    const loaded = await commands.run("modprobe", ["-v", name ?? "", ...(parameters ?? [])]);
    if (loaded.status !== 0) throw internal(`modprobe ${name ?? ""}: ${loaded.stderr.trim()}`);
  }
}
