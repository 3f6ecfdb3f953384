import type { SpecProcess } from "@kata-ts/agent-protocol";
import { loadSpec, openForExisting, withInheritedLimits } from "@kata-ts/runtime";
import { type ContainerId, execInContainer, FileStore } from "@kata-ts/virtcontainers";
import type { Context } from "../context.ts";
import { Foreground } from "./foreground.ts";
import { isOneFile } from "./one-file.ts";
import { writePidFile } from "./pid-file.ts";
import { withOwnSize } from "./terminal-options.ts";

/** A process to be run in a container, with this program's streams. */
export interface ExecRequest {
  readonly id: ContainerId;
  readonly process: SpecProcess;
  /** ExecOptions of virtcontainers. */
  readonly cgroup?: string | undefined;
  readonly user?: string | undefined;
  readonly consoleSocket?: string | undefined;
  readonly ignorePaused?: boolean;
  /** It is not waited for. */
  readonly detached: boolean;
  /** Written with the pid of its shim. */
  readonly pidFile?: string | undefined;
}

/** The first process of a container. */
export interface OwnProcess {
  /** As its config.json has it. */
  readonly process: SpecProcess | undefined;
  /** Its user, where the guest has looked it up: `process` does not have it. */
  readonly user: string | undefined;
}

/** @throws KataError KATA_NOT_FOUND, KATA_CONFIG */
export async function ownProcess(id: ContainerId, { root }: Context): Promise<OwnProcess> {
  const { bundle, user } = await new FileStore(root).read(id);
  return { process: loadSpec(bundle).process, user };
}

/** Runs a process in a container. @returns its exit status; 0 for one that is detached */
export async function runExec(request: ExecRequest, context: Context): Promise<number> {
  const { id, detached, pidFile, ignorePaused = false, cgroup, user, consoleSocket } = request;
  const process = withInheritedLimits(request.process);
  const terminal = process.terminal === true;
  using foreground = detached ? undefined : new Foreground(terminal);
  const shim = await execInContainer(
    id,
    terminal && !detached ? withOwnSize(process) : process,
    {
      ignorePaused,
      oneOutput: !terminal && isOneFile(1, 2),
      cgroup,
      user,
      consoleSocket,
      detached,
    },
    await (await openForExisting(context, id)).ports("store", "shims", "cgroups", "connectAgent"),
  );
  if (pidFile !== undefined) writePidFile(pidFile, shim.identity.pid);
  return foreground === undefined ? 0 : await foreground.wait(shim);
}
