import { existsSync, readFileSync } from "node:fs";
import type { RuntimeSpec, SpecProcess } from "@kata-ts/agent-protocol";

/** Which security modules this guest's kernel has. */
export interface SecurityModules {
  readonly apparmor: boolean;
  readonly selinux: boolean;
}

export function securityModules(): SecurityModules {
  const apparmor = "/sys/module/apparmor/parameters/enabled";
  return {
    apparmor: existsSync(apparmor) && readFileSync(apparmor, "latin1").startsWith("Y"),
    selinux: existsSync("/sys/fs/selinux/enforce"),
  };
}

export interface Applicable<T> {
  readonly value: T;
  /** What was left out, and why. */
  readonly warnings: readonly string[];
}

/**
 * Leaves out labels of a security module that the guest does not have. Engines put the host's default profile into
 * every config.json; the VM confines the container all the same, so that is a warning and not a refusal.
 */
export function applicableProcess(process: SpecProcess, modules: SecurityModules): Applicable<SpecProcess> {
  const { apparmorProfile, selinuxLabel, ...rest } = process;
  const warnings: string[] = [];
  const kept: { apparmorProfile?: string; selinuxLabel?: string } = {};
  if (isSet(apparmorProfile)) {
    if (modules.apparmor) kept.apparmorProfile = apparmorProfile;
    else warnings.push(`process.apparmorProfile "${apparmorProfile}" is not applied: the guest has no AppArmor`);
  }
  if (isSet(selinuxLabel)) {
    if (modules.selinux) kept.selinuxLabel = selinuxLabel;
    else warnings.push(`process.selinuxLabel "${selinuxLabel}" is not applied: the guest has no SELinux`);
  }
  return { value: { ...rest, ...kept }, warnings };
}

/** As applicableProcess, for all of config.json. */
export function applicableSpec(spec: RuntimeSpec, modules: SecurityModules): Applicable<RuntimeSpec> {
  const process = spec.process === undefined ? undefined : applicableProcess(spec.process, modules);
  const warnings = [...(process?.warnings ?? [])];
  const { mountLabel, ...linux } = spec.linux ?? {};
  if (isSet(mountLabel) && !modules.selinux) {
    warnings.push(`linux.mountLabel "${mountLabel}" is not applied: the guest has no SELinux`);
  }
  return {
    value: {
      ...spec,
      ...(process === undefined ? {} : { process: process.value }),
      linux: isSet(mountLabel) && modules.selinux ? { ...linux, mountLabel } : linux,
    },
    warnings,
  };
}

function isSet(label: string | undefined): label is string {
  return label !== undefined && label !== "";
}
