import type { RuntimeSpec, SpecProcess } from "@kata-ts/agent-protocol";
import { randomUuid } from "@kata-ts/linux";
import type { ContainerId } from "../identifiers.ts";
import type { Ports } from "../ports/ports.ts";
import type { Shim } from "../ports/shims.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { UndoStack } from "../undo.ts";
import { guestRoot } from "./guest-root.ts";
import { createInGuest } from "./in-guest.ts";
import { shimTarget } from "./shim-target.ts";
import { requireStatus } from "./status.ts";
import { terminalOf } from "./terminal.ts";

/** What the guest has mounted on its root file system, and a look around needs. */
const MOUNTS = ["/proc", "/sys", "/dev", "/run", "/tmp"].map((destination) => ({
  destination,
  type: "bind",
  source: destination,
  options: ["rbind", "rw"],
}));

const CAPABILITIES: readonly string[] = [
  ..."chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable".split(" "),
  ..."net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot".split(" "),
  ..."sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease".split(" "),
  ..."audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend".split(" "),
  ..."audit_read perfmon bpf checkpoint_restore".split(" "),
].map((name) => `CAP_${name.toUpperCase()}`);

/** A process beside the containers of a guest. */
export interface GuestShell extends AsyncDisposable {
  readonly shim: Shim;
}

/**
 * Runs a process in the guest itself, with all that its agent has: its root file system, its processes, its network.
 * It is a container without walls, which needs nothing of the agent that others do not. Disposing it removes it.
 */
export async function debugGuest(
  id: ContainerId,
  process: SpecProcess,
  ports: Ports<"store" | "shims" | "cgroups" | "connectAgent">,
): Promise<GuestShell> {
  const record = await ports.store.read(id);
  const vm = requireStatus(record, "debug the guest of", "creating", "created", "running", "paused");
  const guestId = `debug-${randomUuid()}`;
  await using undo = new UndoStack();
  const agent = ports.connectAgent(vm.agentUrl);
  undo.push(() => {
    agent.close();
  });
  const shim = ports.shims.launch({ containerId: guestId, execId: guestId, ...terminalOf(process) });
  undo.push(() => {
    shim.kill();
  });
  ports.cgroups.add(record.cgroup, shim.identity.pid);
  const root = guestRoot(guestId);
  const names = { container_id: guestId, exec_id: guestId, storages: [root.storage] };
  const created = createInGuest(agent, names, privilegedSpec(process, root.path));
  const { token } = await wrapAgentError(`debug the guest of container ${id}`, created);
  undo.push(async () => {
    await agent.removeContainer({ container_id: guestId });
  });
  await shim.connect(shimTarget(vm, token));
  await wrapAgentError(`debug the guest of container ${id}`, agent.startContainer({ container_id: guestId }));
  undo.keep();
  return {
    shim,
    [Symbol.asyncDispose]: async () => {
      // With the VM it is gone as well.
      await agent.removeContainer({ container_id: guestId }).catch(() => undefined);
      agent.close();
    },
  };
}

function privilegedSpec(process: SpecProcess, path: string): RuntimeSpec {
  const capabilities = { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES };
  return {
    ociVersion: "1.0.2",
    process: { ...process, capabilities },
    root: { path, readonly: true },
    mounts: MOUNTS,
    linux: { namespaces: [{ type: "mount" }], resources: { devices: [{ allow: true, access: "rwm" }] } },
  };
}
