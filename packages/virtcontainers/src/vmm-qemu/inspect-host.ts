import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { type HostProgram, howToInstall, SYSTEM_PATH } from "@kata-ts/linux";
import { virtiofsdVersion } from "@kata-ts/proxy";
import { type AcceleratorChoice, chooseAccelerator } from "@kata-ts/qemu-driver";
import { reasonOf } from "../errors.ts";
import { inspectCgroups } from "../host/inspect-cgroups.ts";
import type { Prerequisite } from "../host/prerequisite.ts";
import { missingPrivileges } from "../host/privileges.ts";
import { acceleratorProbe, type QemuConfig } from "./qemu-config.ts";

/** Whether, and how, this machine can run sandboxes. */
export interface HostReport {
  readonly prerequisites: readonly Prerequisite[];
  /** How guests would be run, tried out; absent when nothing could be tried. */
  readonly accelerator?: AcceleratorChoice | undefined;
  /** As QEMU says it: `7.2.22`. */
  readonly qemuVersion?: string | undefined;
}

type Need = Omit<Prerequisite, "found" | "problem">;

/** The first with everything that its arguments use: 5.2 has no read-only memory for the image. */
const OLDEST_QEMU = 6;
/** A program that does not even tell its version hangs. */
const DEADLINE_MS = 10_000;

/**
 * With the PATH that the runtime uses, whatever the caller's is. promisify() is not called when this file is loaded: it
 * would load node:child_process for every call of the runtime.
 */
function run(file: string, args: readonly string[]): Promise<{ readonly stdout: string }> {
  const options = { timeout: DEADLINE_MS, killSignal: "SIGKILL", env: { PATH: SYSTEM_PATH, LANG: "C" } } as const;
  return promisify(execFile)(file, args, options);
}

function needOf(name: string, program: HostProgram): Need {
  return { name, remedy: howToInstall(program), optional: false };
}

export interface InspectOptions {
  /** Boot a guest under KVM to learn whether that works, also where the answer is remembered. */
  readonly probe?: boolean | undefined;
}

/** Looks at everything that a sandbox in a QEMU of this configuration would need. Changes nothing, never throws. */
export async function inspectHost(
  config: QemuConfig,
  { probe: fresh = false }: InspectOptions = {},
): Promise<HostReport> {
  const qemu = await inspectQemu(config.qemuPath);
  const others = await Promise.all([
    readable({ name: "guest kernel", remedy: "install the guest, or set kernel", optional: false }, config.kernelPath),
    readable({ name: "guest image", remedy: "install the guest, or set image", optional: false }, config.imagePath),
    ...(config.sharedFs === "virtio-fs" ? [virtiofsd(config.virtiofsdPath)] : []),
    writable({ name: "VM directory", remedy: "mount a tmpfs at /run", optional: false }, config.vmRoot),
    program(needOf("setpriv", "setpriv"), ["--pdeathsig", "KILL", "--", "true"]),
    program(needOf("ip", "iproute2"), ["-V"]),
    program(needOf("tc", "iproute2"), ["-V"]),
    packetFilter(),
    program(
      {
        ...needOf("nft", "nftables"),
        remedy: `${howToInstall("nftables")}: the network "nat" is made by it`,
        optional: true,
      },
      ["--version"],
    ),
    program(
      { ...needOf("cp", "cp"), remedy: `${howToInstall("cp")}: VMs are cloned from templates with it`, optional: true },
      ["--sparse=always", "--version"],
    ),
    usable({ name: "tap devices", remedy: "as root: modprobe tun", optional: false }, "/dev/net/tun"),
    vsock(config),
    usable({ name: "KVM", remedy: "enable virtualisation, else guests are emulated", optional: true }, "/dev/kvm"),
  ]);
  const prerequisites = [qemu.prerequisite, privileges(), ...others, inspectCgroups()];
  const canTry = prerequisites.every(({ name, problem }) => problem === undefined || !/QEMU|kernel/.test(name));
  return {
    prerequisites,
    qemuVersion: qemu.version,
    ...(canTry ? { accelerator: await accelerator(config, fresh) } : {}),
  };
}

async function accelerator(config: QemuConfig, fresh: boolean): Promise<AcceleratorChoice> {
  if (config.accelerator !== "auto") return { accelerator: config.accelerator, reason: "configured" };
  return chooseAccelerator({ ...acceleratorProbe(config), fresh });
}

async function inspectQemu(path: string): Promise<{ readonly prerequisite: Prerequisite; readonly version?: string }> {
  const QEMU = needOf("QEMU", "qemu");
  try {
    const { stdout } = await run(path, ["--version"]);
    const version = /version (\d+[\d.]*)/.exec(stdout)?.[1];
    if (version === undefined) return { prerequisite: { ...QEMU, found: path, problem: "tells no version" } };
    const isTooOld = Number.parseInt(version, 10) < OLDEST_QEMU;
    const found = `${path} ${version}`;
    const problem = isTooOld ? { problem: `is older than ${String(OLDEST_QEMU)}.0` } : {};
    return { prerequisite: { ...QEMU, found, ...problem }, version };
  } catch (error) {
    return { prerequisite: { ...QEMU, found: path, problem: firstLine(error) } };
  }
}

function privileges(): Prerequisite {
  const found = `uid ${String(process.geteuid?.() ?? -1)}`;
  return { name: "privileges", found, optional: false, ...missingPrivileges() };
}

async function virtiofsd(path: string): Promise<Prerequisite> {
  const need = needOf("virtiofsd", "virtiofsd");
  const missing = await attempt(need, path, () => access(path, constants.X_OK));
  if (missing.problem !== undefined) return missing;
  try {
    return { ...need, found: `${path} ${(await virtiofsdVersion(path)).version}` };
  } catch (error) {
    return { ...need, found: path, problem: firstLine(error) };
  }
}

/** Connections to the loopback of a namespace are led to the guest's by either. */
async function packetFilter(): Promise<Prerequisite> {
  const remedy = `${howToInstall("iptables")}: ports are forwarded by it`;
  const tried = ["iptables", "nft"].map((name) => program({ name, remedy, optional: true }, ["--version"]));
  const [iptables, nft] = await Promise.all(tried);
  const usableOne = [iptables, nft].find((each) => each?.problem === undefined);
  return usableOne ?? { name: "iptables", remedy, optional: true, found: "iptables or nft", problem: "is not there" };
}

function readable(need: Need, path: string): Promise<Prerequisite> {
  return attempt(need, path, () => access(path, constants.R_OK));
}

function usable(need: Need, path: string): Promise<Prerequisite> {
  return attempt(need, path, () => access(path, constants.R_OK | constants.W_OK));
}

/** Wanted only where the configuration says so; a serial port takes its place. */
function vsock({ vsock: asked }: QemuConfig): Promise<Prerequisite> {
  if (asked?.daemonPath !== undefined) {
    const need = { name: "vsock", remedy: "set vsock_daemon to vhost-device-vsock", optional: false };
    return attempt(need, asked.daemonPath, () => access(asked.daemonPath ?? "", constants.X_OK));
  }
  const remedy = "as root: modprobe vhost_vsock, if use_vsock is to be set";
  return usable({ name: "vsock", remedy, optional: true }, "/dev/vhost-vsock");
}

/** Or what is there of its way: the rest is made when it is needed. */
function writable(need: Need, path: string): Promise<Prerequisite> {
  return attempt(need, path, async () => {
    let existing = path;
    while ((await stat(existing).catch(() => undefined)) === undefined) existing = dirname(existing);
    await access(existing, constants.W_OK);
  });
}

async function program(need: Need, args: readonly string[]): Promise<Prerequisite> {
  return attempt(need, need.name, () => run(need.name, args));
}

async function attempt(need: Need, found: string, look: () => Promise<unknown>): Promise<Prerequisite> {
  try {
    await look();
    return { ...need, found };
  } catch (error) {
    return { ...need, found, problem: firstLine(error) };
  }
}

function firstLine(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "is not there";
  if (code === "EACCES") return "may not be used";
  return reasonOf(error).split("\n")[0] ?? "";
}
