import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { howToInstall, SYSTEM_PATH } from "@kata-ts/linux";
import { isNetworkNamespace, NetnsError } from "@kata-ts/netns";

/** Their own default; Debian, Arch and Alpine; Fedora. */
const DIRECTORIES = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"];
const VERSION = "0.4.0";
/** A plugin waits for locks of the host's; a plugin that hangs is ended. */
const DEADLINE_MS = 20_000;

/** One plugin's configuration, as the specification of CNI has it, without what is the same for all. */
export interface PluginConfig {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** A container's place in a network. */
export interface CniAttachment {
  readonly containerId: string;
  /** A path to its network namespace. */
  readonly namespace: string;
  /** Where the plugins are; by default where distributions have them. */
  readonly directory?: string;
  /** Milliseconds that one may take. */
  readonly deadlineMs?: number;
}

/** Where the plugins are; undefined where they are not installed. */
export function cniDirectory(): string | undefined {
  return DIRECTORIES.find((directory) => existsSync(join(directory, "bridge")));
}

/** Attaches a container by a list of plugins, each told what the one before it has made. @throws NetnsError KATA_NETWORK */
export async function addNetwork(plugins: readonly PluginConfig[], attachment: CniAttachment): Promise<void> {
  let prevResult: unknown;
  for (const plugin of plugins) prevResult = await call(plugin, "ADD", attachment, prevResult);
}

/**
 * Takes back what addNetwork did, also where it did not get to its end. A plugin that fails keeps no other. Idempotent.
 *
 * @throws NetnsError KATA_NETWORK, the first
 */
export async function removeNetwork(plugins: readonly PluginConfig[], attachment: CniAttachment): Promise<void> {
  const failures: unknown[] = [];
  for (const plugin of [...plugins].reverse()) {
    await call(plugin, "DEL", attachment, undefined).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

async function call(
  plugin: PluginConfig,
  command: "ADD" | "DEL",
  { containerId, namespace, directory = cniDirectory() ?? "", deadlineMs = DEADLINE_MS }: CniAttachment,
  prevResult: unknown,
): Promise<unknown> {
  const child = spawn(join(directory, plugin.type), [], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true, // what it has started ends with it
    env: {
      PATH: SYSTEM_PATH,
      CNI_COMMAND: command,
      CNI_CONTAINERID: containerId,
      CNI_NETNS: isNetworkNamespace(namespace) ? namespace : "",
      CNI_IFNAME: "eth0",
      CNI_PATH: directory,
    },
  });
  const timer = setTimeout(() => {
    endGroup(child.pid);
    child.stdout.destroy();
  }, deadlineMs);
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once("error", (error) => {
      reject(missing(plugin.type, directory, error));
    });
    child.once("close", resolve);
  }).finally(() => {
    clearTimeout(timer);
  });
  child.stdin.on("error", () => undefined);
  const config = { cniVersion: VERSION, name: "kata-ts", ...plugin };
  child.stdin.end(JSON.stringify(prevResult === undefined ? config : { ...config, prevResult }));
  const [output, status] = await Promise.all([text(child.stdout).catch(() => ""), closed]);
  if (status === 0) return output === "" ? undefined : (JSON.parse(output) as unknown);
  throw new NetnsError(
    "KATA_NETWORK",
    `the CNI plugin ${plugin.type} could not ${command}: ${messageIn(output) || "it was ended"}`,
    {
      hint: "use --network none to do without, or look at the host's iptables and bridges",
    },
  );
}

function missing(plugin: string, directory: string, cause: Error): NetnsError {
  return new NetnsError("KATA_NETWORK", `the CNI plugin ${join(directory, plugin)} cannot be run: ${cause.message}`, {
    cause,
    hint: howToInstall("cni"),
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Only a process that has left its group can have kept its output open.
  }
}

function messageIn(output: string): string {
  try {
    // eslint-disable-next-line no-restricted-syntax -- a plugin's answer; its one field is checked
    const { msg } = JSON.parse(output) as { readonly msg?: unknown };
    return typeof msg === "string" ? msg : output.trim();
  } catch {
    return output.trim();
  }
}
