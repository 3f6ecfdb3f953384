import { existsSync, readFileSync } from "node:fs";
import type { RuntimeSpec, SpecProcess } from "@kata-ts/agent-protocol";

/** What this guest's kernel and runtime can do of what not all can. */
export interface GuestAbilities {
  /** Whether its AppArmor has a profile of this name: a kernel has none until one is loaded. */
  readonly hasApparmorProfile: (name: string) => boolean;
  readonly selinux: boolean;
  /** Whether its runtime sets schedulers, priorities of input and output, and the processors of an exec. */
  readonly scheduling: boolean;
}

/** Of a kernel that has AppArmor, where securityfs is mounted; without it none can have been loaded. */
const PROFILES = "/sys/kernel/security/apparmor/profiles";

/** @param text lines as `docker-default (enforce)` */
export function profilesIn(text: string): ReadonlySet<string> {
  return new Set(text.split("\n").map((line) => line.replace(/ \(\w+\)$/, "")));
}

/** @param runtime `crun` or `runc`; runc 1.1 ignores what it does not know */
export function guestAbilities(runtime: string): GuestAbilities {
  return {
    // Read each time: an image's own service may load profiles at any time.
    hasApparmorProfile: (name) => existsSync(PROFILES) && profilesIn(readFileSync(PROFILES, "utf8")).has(name),
    selinux: existsSync("/sys/fs/selinux/enforce"),
    scheduling: runtime === "crun",
  };
}

const SCHEDULING: readonly string[] = ["scheduler", "ioPriority", "execCPUAffinity"];

export interface Applicable<T> {
  readonly value: T;
  /** What was left out, and why. */
  readonly warnings: readonly string[];
}

/**
 * Leaves out what the guest's runtime cannot set, profiles of AppArmor and labels of SELinux that the guest does not have. Engines put
 * the host's default profile into every config.json; the VM confines the container all the same, so that is a warning and not
 * a refusal.
 */
export function applicableProcess(process: SpecProcess, abilities: GuestAbilities): Applicable<SpecProcess> {
  const { apparmorProfile, selinuxLabel, ...others } = process;
  const left = abilities.scheduling ? [] : SCHEDULING.filter((name) => name in others);
  const rest = Object.fromEntries(Object.entries(others).filter(([name]) => !left.includes(name))) as typeof others;
  const warnings = left.map((name) => `process.${name} is not applied: the guest's runtime cannot set it`);
  const kept: { apparmorProfile?: string; selinuxLabel?: string } = {};
  if (isSet(apparmorProfile) && apparmorProfile !== "unconfined") {
    if (abilities.hasApparmorProfile(apparmorProfile)) kept.apparmorProfile = apparmorProfile;
    else warnings.push(`process.apparmorProfile "${apparmorProfile}" is not applied: the guest has no such profile`);
  }
  if (isSet(selinuxLabel)) {
    if (abilities.selinux) kept.selinuxLabel = selinuxLabel;
    else warnings.push(`process.selinuxLabel "${selinuxLabel}" is not applied: the guest has no SELinux`);
  }
  return { value: { ...rest, ...kept }, warnings };
}

/** As applicableProcess, for all of config.json. */
export function applicableSpec(spec: RuntimeSpec, abilities: GuestAbilities): Applicable<RuntimeSpec> {
  const process = spec.process === undefined ? undefined : applicableProcess(spec.process, abilities);
  const warnings = [...(process?.warnings ?? [])];
  const { mountLabel, ...linux } = spec.linux ?? {};
  if (isSet(mountLabel) && !abilities.selinux) {
    warnings.push(`linux.mountLabel "${mountLabel}" is not applied: the guest has no SELinux`);
  }
  return {
    value: {
      ...spec,
      ...(process === undefined ? {} : { process: process.value }),
      linux: isSet(mountLabel) && abilities.selinux ? { ...linux, mountLabel } : linux,
    },
    warnings,
  };
}

function isSet(label: string | undefined): label is string {
  return label !== undefined && label !== "";
}
