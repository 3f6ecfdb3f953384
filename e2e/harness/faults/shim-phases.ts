import type { CommandResult } from "../command.ts";
import type { ShimTask } from "./shim-task.ts";

/** A task whose shim is in a phase. */
interface ShimHeld {
  /** The call of ctr that is at work; absent where none is. */
  readonly call?: Promise<CommandResult>;
  /** What the shim has not come to while it is in the phase. */
  readonly beyond?: { readonly step: string; readonly times?: number };
  /** Whether the guest gets no time: it is what the shim waits for. */
  readonly guestIsFrozen?: boolean;
}

export interface ShimPhase {
  readonly name: string;
  /** What containerd tells of the task's end where its shim is killed; undefined where it does not know the task yet. */
  readonly exitStatus: number | undefined;
  /** Brings a new task there. */
  readonly reach: (task: ShimTask) => Promise<ShimHeld>;
  /** What a call that goes on waits for. */
  readonly release?: (task: ShimTask) => Promise<void>;
  /** What the call prints where it goes on. */
  readonly output?: string;
  /** What it writes to standard error; nothing where it is absent. */
  readonly warning?: RegExp;
  /** How the task is then, in ctr's words; undefined where there is none any more. */
  readonly status: string | undefined;
}

const SLEEPS = ["sleep", "1000"] as const;
const KILLED = 137;

/** What a shim does for containerd, each held where it cannot go on, or where it has something left to do. */
export const SHIM_PHASES: readonly ShimPhase[] = [
  creating("vm-started", "agent-up"),
  creating("agent-up", "sandbox-created"),
  creating("sandbox-created", "Create is answered"),
  {
    name: "starting",
    exitStatus: KILLED,
    status: "RUNNING",
    reach: async (task) => {
      const call = task.run(...SLEEPS);
      await task.reach("Start begins");
      return { call, beyond: { step: "Start is answered" } };
    },
  },
  {
    name: "running",
    exitStatus: KILLED,
    status: "RUNNING",
    reach: async (task) => {
      await running(task);
      return {};
    },
  },
  frozen("exec", "Start", { output: "from exec", times: 2 }, (task) => task.exec("e", "echo", "from exec")),
  {
    name: "exec-attached",
    exitStatus: KILLED,
    output: "ended",
    status: "RUNNING",
    release: async (task) => {
      await succeeds(task.exec("release", "touch", "/end"));
    },
    reach: async (task) => {
      await running(task);
      const call = task.exec("e", "sh", "-c", "until [ -e /end ]; do sleep 0.1; done; echo ended");
      await task.reach("Start is answered", 2);
      return { call };
    },
  },
  frozen("pausing", "Pause", { status: "PAUSED" }, (task) => task.task("pause")),
  {
    name: "paused",
    exitStatus: KILLED,
    status: "PAUSED",
    reach: async (task) => {
      await running(task);
      await succeeds(task.task("pause"));
      return {};
    },
  },
  frozen("killing", "Kill", { status: "STOPPED" }, (task) => task.task("kill", "--signal", "SIGKILL")),
  {
    name: "deleting",
    warning: /exit with non-zero exit code 3"$/,
    exitStatus: 3,
    status: undefined,
    reach: async (task) => {
      await succeeds(task.run("sh", "-c", "exit 3"));
      await task.until("STOPPED");
      await task.freezeGuest();
      const call = task.task("delete");
      await task.reach("vm-ending");
      return { call, beyond: { step: "Delete is answered" }, guestIsFrozen: true };
    },
  },
];

function creating(step: string, next: string): ShimPhase {
  return {
    name: step,
    exitStatus: undefined,
    status: "RUNNING",
    reach: async (task) => {
      const call = task.run(...SLEEPS);
      await task.reach(step);
      return { call, beyond: { step: next } };
    },
  };
}

interface FrozenCall {
  readonly output?: string;
  readonly status?: string;
  /** How often the method was called by then, in all. */
  readonly times?: number;
}

/** A call that waits for the guest, which gets no time. */
function frozen(
  name: string,
  method: string,
  { output = "", status = "RUNNING", times = 1 }: FrozenCall,
  begin: (task: ShimTask) => Promise<CommandResult>,
): ShimPhase {
  return {
    ...{ name, exitStatus: KILLED, output, status },
    reach: async (task) => {
      await running(task);
      await task.freezeGuest();
      const call = begin(task);
      await task.reach(`${method} begins`, times);
      return { call, beyond: { step: `${method} is answered`, times }, guestIsFrozen: true };
    },
  };
}

async function running(task: ShimTask): Promise<void> {
  await succeeds(task.run(...SLEEPS));
}

/** @throws Error where a command fails */
async function succeeds(call: Promise<CommandResult>): Promise<void> {
  const { exitCode, stderr } = await call;
  if (exitCode !== 0) throw new Error(stderr);
}
