/** A piece of code that keeps a promise of docs/reliability.md or docs/threat-model.md, and the test that needs it. */
export interface Handler {
  /** What is no longer done without it. */
  readonly name: string;
  readonly file: string;
  /** Found exactly once in the file. */
  readonly code: string;
  readonly without: string;
  /** A suite's file, without its ending, and words of the test's name as a pattern. */
  readonly test: readonly [suite: string, name: string];
}

export const HANDLERS: readonly Handler[] = [
  {
    name: "a VM ends with its virtiofsd",
    file: "packages/proxy/src/watchman.ts",
    code: 'this.#virtiofsd?.exited.then(() => "virtiofsd-exited" as const) ?? new Promise<never>(() => undefined)',
    without: "new Promise<never>(() => undefined)",
    test: ["e2e/test/fault-matrix", "virtiofsd by SIGKILL at running"],
  },
  {
    name: "a VM ends with its kata-proxy",
    file: "packages/qemu-driver/src/spawn.ts",
    code: '["--pdeathsig", "KILL", ...privileges,',
    without: "[...privileges,",
    test: ["e2e/test/reaper-contract", "ends the VM with its watchman"],
  },
  {
    name: "a kernel panic ends the VM",
    file: "packages/qemu-driver/src/kernel-params.ts",
    code: '"panic=-1",',
    without: '"panic=0",',
    test: ["e2e/test/guest-faults", "in a kernel panic"],
  },
  {
    name: "an emulated guest has memory barriers",
    file: "packages/qemu-driver/src/argv.ts",
    code: "{ maxcpus: Math.max(max, 2) }",
    without: "{ maxcpus: max }",
    test: ["e2e/test/boot", "with the memory barriers"],
  },
  {
    name: "a wrong configuration keeps nobody from what runs",
    file: "packages/runtime-cli/src/context.ts",
    code: 'if (!(error instanceof KataError) || error.code !== "KATA_CONFIG") throw error;',
    without: 'if (!(error instanceof KataError) || error.code !== "KATA_STATE") throw error;',
    test: ["e2e/test/errors", "has become wrong"],
  },
  {
    name: "a process ends with its shim",
    file: "packages/agent/src/container/process-owner.ts",
    code: "    else endOrphan(process, forget);",
    without: "",
    test: ["e2e/test/signals", "that end a process are its status"],
  },
  {
    name: "a create ends with its shim",
    file: "packages/virtcontainers/src/container/shim-watch.ts",
    code: "if (!this.#watching) return;",
    without: "if (this.#watching) return;",
    test: ["e2e/test/fault-matrix", "shim by SIGKILL at vm-started"],
  },
  {
    name: "a create that is interrupted ends its VM",
    file: "packages/virtcontainers/src/interruption.ts",
    code: "    vm.stop().catch(() => undefined);",
    without: "    void vm;",
    test: ["e2e/test/interruption", "."],
  },
  {
    name: "a VM whose creator is gone before it said that the VM may stay is ended",
    file: "packages/proxy/src/control.ts",
    code: "return text.includes(COMMIT);",
    without: "return true;",
    test: ["e2e/test/reaper-contract", "rolls a create back whose caller was killed"],
  },
  {
    name: "gc leaves a VM alone that somebody is about to give a record",
    file: "packages/virtcontainers/src/sandbox/collect-garbage.ts",
    code: "if (isAlive(creator)) return undefined;",
    without: "void isAlive(creator);",
    test: ["packages/virtcontainers/test/garbage", "is no VM whose creator lives"],
  },
  {
    name: "gc removes a VM that no record names",
    file: "packages/virtcontainers/src/sandbox/collect-garbage.ts",
    code: 'return (await store.vmAt(owner))?.dir === state.dir ? undefined : "no container\'s record names it";',
    without: "void store.vmAt(state.dir);\n  return undefined;",
    test: ["e2e/test/gc", "ends a VM whose container's record has vanished"],
  },
  {
    name: "a record that cannot be read keeps nobody from deleting its VM",
    file: "packages/virtcontainers/src/container/delete.ts",
    code: 'if (error.code === "KATA_STATE_FILE") await',
    without: 'if (error.code === "KATA_STATE") await',
    test: ["e2e/test/gc", "is not needed for a record"],
  },
  {
    name: "a call to a guest that hangs is given up",
    file: "packages/agent-protocol/src/rpc/client.ts",
    code: "const SILENCE_MS = 20_000;",
    without: "const SILENCE_MS = 200_000;",
    test: ["e2e/test/fault-matrix", "agent by SIGSTOP at sandbox-created"],
  },
  {
    name: "a guest has the time to write to its disks",
    file: "packages/virtcontainers/src/sandbox/flush.ts",
    code: "deadlineMs: 60_000",
    without: "deadlineMs: 3_000",
    test: ["e2e/test/block-rootfs", "however slow it is"],
  },
  {
    name: "what does not end by itself is killed",
    file: "packages/virtcontainers/src/hypervisor/qemu-vm.ts",
    code: 'if (performance.now() > killAt) for (const process of this.state.processes) signalProcess(process, "SIGKILL");',
    without: "",
    test: ["e2e/test/fault-matrix", "proxy by SIGSTOP at running"],
  },
  {
    name: "a shim that hangs is killed",
    file: "packages/virtcontainers/src/container/delete.ts",
    code: 'if (performance.now() > killAt) signalProcess(shim, "SIGKILL");',
    without: 'if (performance.now() > killAt + 10 * KILL_DEADLINE_MS) signalProcess(shim, "SIGKILL");',
    test: ["e2e/test/fault-matrix", "shim by SIGSTOP at running"],
  },
  {
    name: "a guest that does not come up is waited for up to a deadline",
    file: "packages/virtcontainers/src/sandbox/wait-for-agent.ts",
    code: "deadlineMs: limit.deadlineMs, signal",
    without: "deadlineMs: 1000 * limit.deadlineMs, signal",
    test: ["e2e/test/boot", "that never come up end at the deadline"],
  },
  {
    name: "a hook ends with an interrupted create",
    file: "packages/virtcontainers/src/container/creation.ts",
    code: "await runCreateHooks(config.spec, hooked, signal);",
    without: "void signal;\n  await runCreateHooks(config.spec, hooked, undefined);",
    test: ["e2e/test/interruption", "while one of its hooks runs"],
  },
  {
    name: "words of a guest cannot steer a terminal",
    file: "packages/qemu-driver/src/tail.ts",
    code: "export function escapeControls(text: string): string {",
    without: 'export function escapeControls(text: string): string {\n  if (text !== "") return text;',
    test: ["e2e/test/hostile-agent", "with escape sequences"],
  },
  {
    name: "a reply has a bound",
    file: "packages/agent-protocol/src/rpc/caller.ts",
    code: "MAX_REPLY_BYTES: number = 4 * 1024 * 1024",
    without: "MAX_REPLY_BYTES: number = 4096 * 1024 * 1024",
    test: ["e2e/test/hostile-agent", "with a huge reply"],
  },
  {
    name: "what is shared read-only cannot be written by the guest's root",
    file: "packages/linux/src/mounts.ts",
    code: "const MOUNT_ATTR_RDONLY = 1n;",
    without: "const MOUNT_ATTR_RDONLY = 0n;",
    test: ["e2e/test/hostile-guest", "nor to a volume that is read-only"],
  },
  {
    name: "QEMU has none of root's capabilities",
    file: "packages/qemu-driver/src/spawn.ts",
    code: "withoutCapabilities ? WITHOUT_CAPABILITIES : []",
    without: 'withoutCapabilities && command === "" ? WITHOUT_CAPABILITIES : []',
    test: ["e2e/test/hostile-guest", "without root's capabilities"],
  },
  {
    name: "a VM that a dead create has taken from the cache ends",
    file: "packages/proxy/src/control.ts",
    code: "return text.includes(COMMIT);",
    without: "return true;",
    test: ["e2e/test/vm-cache", "has its VM end with a create that is killed"],
  },
  {
    name: "an agent answers while processes begin",
    file: "packages/agent/src/container/oci-runtime.ts",
    code: "availableParallelism() + 1",
    without: "availableParallelism() + 1_000",
    test: ["e2e/test/agent-load", "a lot of processes"],
  },
  {
    name: "a busy host is not taken for an agent that hangs",
    file: "packages/agent-protocol/src/rpc/watchful-caller.ts",
    code: "missed += share();",
    without: "missed += Math.max(1, share());",
    test: ["packages/agent-protocol/src/rpc/watchful-caller", "little time for the agent"],
  },
  {
    name: "a command's output is whole however late its reader is",
    file: "packages/runtime-cli/src/output/print.ts",
    code: '!== "EAGAIN") throw error;',
    without: '=== "EAGAIN") throw error;',
    test: ["packages/runtime-cli/src/output/print", "its reader is late"],
  },
  {
    name: "kept options hold only for the files that they are of",
    file: "packages/runtime-cli/src/config/kept.ts",
    code: "JSON.stringify(given.files) === JSON.stringify(files)",
    without: "given.files.length === files.length",
    test: ["packages/runtime-cli/src/config/kept", "a file says something else"],
  },
  {
    name: "a record is checked when it is read",
    file: "packages/virtcontainers/src/store/record-schema.ts",
    code: 'return record(JSON.parse(json), "the record");',
    without: "return JSON.parse(json) as ContainerRecord;",
    test: ["packages/virtcontainers/src/store/record-schema", "refuses one"],
  },
  {
    name: "virtiofsd leaves no file behind",
    file: "packages/proxy/src/spawn-processes.ts",
    code: "{ ...config, listenFd: GIVEN_FD }",
    without: "config",
    test: ["e2e/test/lifecycle", "0 to 255"],
  },
];
