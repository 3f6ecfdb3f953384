import { mkdirSync, writeFileSync } from "node:fs";
import { MountFlag, mount } from "@kata-ts/linux";

/** The guest's own, whose root file system is read-only. @param lines none: it stays as it is */
export function writeResolvConf(lines: readonly string[]): void {
  if (lines.length === 0) return;
  const path = "/run/kata-containers/sandbox/resolv.conf";
  mkdirSync("/run/kata-containers/sandbox", { recursive: true });
  writeFileSync(path, `${lines.join("\n")}\n`);
  mount(path, "/etc/resolv.conf", null, MountFlag.bind);
}
