import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { labQemu } from "../lab/lab-qemu.ts";

/** What it takes to use a QEMU that saves what a file daemon holds. */
export interface NewerQemu {
  readonly qemuPath: string;
  /** One whose libraries are beside it, and not the host's, is not confined to a directory with the host's. */
  readonly confinement?: false;
}

const NEW_ENOUGH = /version (?:8\.[2-9]|9|\d\d)/;

/** The host's own where it is new enough, else the laboratory's, by a program that is made in the directory. */
export async function newerQemu(directory: string): Promise<NewerQemu> {
  const { stdout } = await execa("qemu-system-x86_64", ["--version"]);
  if (NEW_ENOUGH.test(stdout)) return { qemuPath: "/usr/bin/qemu-system-x86_64" };
  const { program, args } = await labQemu();
  const qemuPath = join(directory, "qemu");
  const words = [program, ...args].map((word) => `'${word}'`).join(" ");
  writeFileSync(qemuPath, `#!/bin/sh\nexec ${words} "$@"\n`);
  chmodSync(qemuPath, 0o755);
  return { qemuPath, confinement: false };
}
