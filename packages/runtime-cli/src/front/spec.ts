import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { RuntimeSpec, SpecMount, SpecResources } from "@kata-ts/agent-protocol";
import { type Image, processFor } from "@kata-ts/oci-image";
import { defaultSpec } from "@kata-ts/virtcontainers";
import { type Options, UsageError } from "../arguments/parse.ts";
import { parseBytes } from "../verbs/update-options.ts";

/** What Docker gives a container: package managers and servers that change their user need it. */
const CAPABILITIES = [
  ...["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE"],
  ...["NET_RAW", "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP"],
].map((name) => `CAP_${name}`);

const PERIOD_US = 100_000;

export interface FrontRequest {
  readonly id: string;
  readonly rootfs: string;
  readonly image: Image | undefined;
  readonly command: readonly string[];
  readonly options: Options;
  /** Without it the container has its loopback. */
  readonly network: FrontNetwork | undefined;
}

export interface FrontNetwork {
  /** A path to the network namespace. */
  readonly namespace: string;
  /** A file with the name servers to ask. */
  readonly resolvConf?: string;
}

/** config.json of what was asked for: the image's wishes, and over them those of the command line. */
export async function frontSpec({ id, rootfs, image, command, options, network }: FrontRequest): Promise<RuntimeSpec> {
  const given = await processOf(rootfs, image, command, options);
  const base = defaultSpec(given);
  const terminal = options.flag("tty");
  const capabilities = { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES };
  return {
    ...base,
    process: { cwd: "/", ...base.process, terminal, capabilities, noNewPrivileges: false },
    root: { path: rootfs },
    hostname: id,
    mounts: [...(base.mounts ?? []), ...resolvers(rootfs, network), ...options.list("volume").map(volume)],
    linux: {
      ...base.linux,
      namespaces: (base.linux?.namespaces ?? []).map((each) =>
        each.type === "network" && network !== undefined ? { ...each, path: network.namespace } : each,
      ),
      resources: { ...base.linux?.resources, ...limits(options) },
    },
  };
}

interface GivenProcess {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number };
}

async function processOf(
  rootfs: string,
  image: Image | undefined,
  command: readonly string[],
  options: Options,
): Promise<GivenProcess> {
  const user = options.text("user");
  const wishes = { ...(image?.config.config ?? { Cmd: ["sh"] }), ...(user === undefined ? {} : { User: user }) };
  const process = await processFor(rootfs, wishes, command.length === 0 ? undefined : command);
  const terminal = options.flag("tty") ? ["TERM=xterm"] : [];
  return {
    ...process,
    env: [...process.env, ...terminal, ...options.list("env")],
    cwd: options.text("workdir") ?? process.cwd,
  };
}

/** Only over a file that is there: a directory of somebody's is left as it is. */
function resolvers(rootfs: string, network: FrontNetwork | undefined): SpecMount[] {
  const destination = "/etc/resolv.conf";
  if (network?.resolvConf === undefined || !existsSync(join(rootfs, destination))) return [];
  return [{ source: network.resolvConf, destination, type: "bind", options: ["bind", "ro"] }];
}

/** `FROM:TO[:ro]`. @throws UsageError */
function volume(text: string): SpecMount {
  const [from = "", to = "", mode = "rw", ...more] = text.split(":");
  if (from === "" || !to.startsWith("/") || (mode !== "ro" && mode !== "rw") || more.length > 0) {
    throw new UsageError(`--volume takes FROM:TO or FROM:TO:ro, not "${text}"`);
  }
  return { source: resolve(from), destination: to, type: "bind", options: ["rbind", mode] };
}

function limits(options: Options): SpecResources {
  const memory = options.text("memory");
  const cpus = options.text("cpus");
  if (cpus !== undefined && !/^\d{1,3}(?:\.\d{1,3})?$/.test(cpus))
    throw new UsageError(`--cpus takes a number, not "${cpus}"`);
  return {
    ...(memory === undefined ? {} : { memory: { limit: parseBytes(memory, "memory") } }),
    ...(cpus === undefined ? {} : { cpu: { quota: Math.round(Number(cpus) * PERIOD_US), period: PERIOD_US } }),
  };
}
