import type { RuntimeSpec, SpecHook, SpecProcess } from "@kata-ts/agent-protocol";
import { internal } from "../errors.ts";
import type { ContainerProcess } from "./container-process.ts";
import type { Output } from "./output.ts";

/** Kata's name for the bundle's path on the host, which the guest knows by this alone. */
const BUNDLE_ANNOTATION = "io.katacontainers.pkg.oci.bundle_path";

const LONGEST_MS = 10 * 60_000;
const SIGKILL = 9;
const MAX_OUTPUT = 4096;

/** How the container runs a process in itself. */
export type RunInContainer = (process: SpecProcess) => Promise<ContainerProcess>;

/**
 * Runs the startContainer hooks in the container, before its own process goes on. crun could, but gives them a state of
 * its own making: of the guest's bundle, and without annotations.
 *
 * @throws AgentRpcError for the first that fails
 */
export async function runStartHooks(id: string, spec: RuntimeSpec, run: RunInContainer): Promise<void> {
  const { [BUNDLE_ANNOTATION]: bundle = "", ...annotations } = spec.annotations ?? {};
  const { ociVersion } = spec;
  const state = JSON.stringify({ ociVersion, id, status: "created", pid: 1, bundle, annotations });
  for (const [index, hook] of (spec.hooks?.startContainer ?? []).entries()) {
    const failure = await runHook(hook, state, run);
    if (failure !== undefined) {
      throw internal(`error running hook #${String(index)} of startContainer (${hook.path}): ${failure}`);
    }
  }
}

async function runHook(hook: SpecHook, state: string, run: RunInContainer): Promise<string | undefined> {
  const process = await run(hookProcess(hook));
  const limit = hook.timeout === undefined ? LONGEST_MS : Number(hook.timeout) * 1000;
  const late = AbortSignal.timeout(limit);
  late.addEventListener("abort", () => {
    process.signal(SIGKILL);
  });
  void process.stdio.stdin.write(Buffer.from(state)).then(() => {
    process.stdio.stdin.end();
  });
  const [stdout, stderr, status] = await Promise.all([
    textOf(process.stdio.stdout),
    textOf(process.stdio.stderr),
    process.exited,
  ]);
  if (late.aborted) return `hook ran past specified timeout of ${(limit / 1000).toFixed(1)}s`;
  return status === 0 ? undefined : `exit status ${String(status)}, stdout: ${stdout}, stderr: ${stderr}`;
}

/** As the container's root, before any privilege is given up. */
function hookProcess(hook: SpecHook): SpecProcess {
  const all = CAPABILITIES.map((name) => `CAP_${name}`);
  return {
    user: { uid: 0, gid: 0 },
    args: [hook.path, ...(hook.args ?? []).slice(1)],
    env: hook.env ?? [],
    cwd: "/",
    capabilities: { bounding: all, effective: all, permitted: all, inheritable: [], ambient: [] },
  };
}

async function textOf(output: Output | undefined): Promise<string> {
  let text = "";
  for (;;) {
    const data = await output?.read(MAX_OUTPUT);
    if (data === undefined) return text.trim();
    text = `${text}${data.toString()}`.slice(-MAX_OUTPUT);
  }
}

const CAPABILITIES: readonly string[] = [
  ...["AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "CHOWN"],
  ...["DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE"],
  ...["LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST"],
  ...["NET_RAW", "PERFMON", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT"],
  ...["SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME"],
  ...["SYS_TTY_CONFIG", "WAKE_ALARM"],
];
