/**
 * What the host and the guest have to agree on beside the RPCs: names of devices, paths, lines of the console, parameters of
 * the kernel. Both sides import it; Kata 1.x has the same names where it has the thing at all.
 *
 * @module
 */

/** The virtio-serial port over which the host reaches the agent. */
export const AGENT_SERIAL_PORT = "agent.channel.0";

/** The vsock port at which the agent listens instead, where AgentParameter.useVsock says so. */
export const AGENT_VSOCK_PORT = 1024;

/** The tag of the file system that the host shares with the guest. */
export const SHARED_TREE_TAG = "kataShared";
/** Where the guest mounts it. */
export const SHARED_TREE_PATH = "/run/kata-containers/shared/containers";

/** How each line of the agent's begins on the guest's console. */
export const AGENT_LOG_PREFIX = "kata-agent: ";

/** What the agent says after AGENT_LOG_PREFIX, and the host listens for. */
export const AgentLog = {
  starting: "starting",
  /** The host can call. */
  ready: "ready",
  /** The serial channel is closed, and the next host can open it. */
  disconnected: "the host disconnected",
} as const;

/** What the guest image's init says before it becomes the agent. */
export const INIT_LOG_PREFIX = "kata-init: ";

/** Parameters of the guest kernel's command line that are for the agent, `NAME=VALUE`. */
export const AgentParameter = {
  /** `debug` logs each call. */
  log: "agent.log",
  /** The OCI runtime in the guest, `crun` or `runc`. */
  containerRuntime: "agent.container_runtime",
  /** `off` interprets the agent's code instead of compiling it; the guest image's init reads it. */
  jit: "agent.jit",
  /** `true` has the agent listen at AGENT_VSOCK_PORT; it uses no serial port then. */
  useVsock: "agent.use_vsock",
} as const;
