import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { inNetworkNamespace } from "@kata-ts/netns";
import { COMMIT, type VmSpec } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import type { BootRequest } from "../ports/hypervisor.ts";
import { letGoOver } from "./over-socket.ts";
import { outcomeOf } from "./start-outcome.ts";
import type { StartedSupervisor } from "./started-supervisor.ts";
import type { VmmHypervisorOptions } from "./vmm-hypervisor-options.ts";

const START_SILENCE_MS = 10_000;

/** Starts a VM's supervisor: kata-proxy, or without one this process, with which its VMs end. */
export async function startSupervisor(
  spec: VmSpec,
  { vmm, proxyPath }: Pick<VmmHypervisorOptions, "vmm" | "proxyPath">,
  request: BootRequest,
): Promise<StartedSupervisor> {
  if (proxyPath !== undefined) return startProxy(spec, [proxyPath], request);
  if (request.detachable === true) {
    const { ownProxy } = await import("./own-proxy.ts");
    return startProxy(spec, ownProxy(), request);
  }
  const { startBuiltIn } = await import("./built-in-supervisor.ts");
  return startBuiltIn(spec, await vmm.launcher(), request);
}

/** kata-proxy lives in the VM's network namespace. It gets its own session, no descriptor of ours, and a pipe: should we die before the commit, the VM ends. */
async function startProxy(
  spec: VmSpec,
  [proxyPath, ...args]: readonly [string, ...string[]],
  request: BootRequest,
): Promise<StartedSupervisor> {
  const specFile = join(spec.dir, "spec.json");
  await writeFile(specFile, JSON.stringify(spec), { mode: 0o600 });
  const { networkNamespace, sandboxId } = request;
  const start = () =>
    spawn(proxyPath, [...args, "-sandbox", sandboxId, "-vm", specFile, "-control-fd", "3"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
      detached: true,
      cwd: "/",
      env: {},
    });
  const proxy = networkNamespace === undefined ? start() : inNetworkNamespace(networkNamespace, start);
  const exited: Promise<undefined> = new Promise((resolve) => {
    proxy.once("exit", () => {
      resolve(undefined);
    });
    proxy.once("error", () => {
      resolve(undefined);
    });
  });
  const control = proxy.stdio[3] as Socket | null;
  if (proxy.pid === undefined || control === null) {
    throw new KataError("KATA_PROXY", `${proxyPath} could not be started`, {
      hint: "check the installation's libexec",
    });
  }
  control.on("error", () => undefined);
  // The monitor and its helpers are started by it later, and so are where it is.
  request.onProcess?.(proxy.pid);
  const outcome = await outcomeOf(control, { pid: proxy.pid, silenceMs: START_SILENCE_MS });
  if (outcome?.ok !== true) {
    // Where it may have no more threads, Node waits for them for ever, and for nothing else.
    proxy.kill("SIGKILL");
    await exited;
    const why =
      outcome?.message ?? `${proxyPath} ended or stalled before it had started the VM: is its cgroup at a limit?`;
    throw new KataError("KATA_PROXY", `kata-proxy could not start the VM: ${why}`);
  }
  return {
    ended: exited,
    commit: () => {
      control.end(COMMIT);
      proxy.unref();
    },
    ...(request.detachable === true ? { letGo: () => letGoOver(control) } : {}),
    unref: () => {
      control.unref();
      proxy.unref();
    },
    stop: async () => {
      proxy.kill("SIGTERM");
      await exited;
      control.destroy();
    },
  };
}
