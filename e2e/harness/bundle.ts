import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { busyboxRootfs } from "./images.ts";

export interface BundleOptions {
  readonly args: readonly string[];
  readonly env?: readonly string[];
  /** A directory whose content becomes the root file system; busybox by default. */
  readonly image?: string;
  /** Changes the rest of config.json. */
  readonly edit?: (spec: EditableSpec) => void;
}

/** config.json, as `runc spec` writes it. */
export interface EditableSpec {
  ociVersion: string;
  hostname?: string;
  process: {
    args: string[];
    env: string[];
    cwd: string;
    terminal: boolean;
    user: { uid: number; gid: number };
    [name: string]: unknown;
  };
  root: { path: string; readonly: boolean };
  mounts: { destination: string; type?: string; source?: string; options?: string[] }[];
  annotations?: Record<string, string>;
  [name: string]: unknown;
}

export interface Bundle {
  readonly path: string;
  readonly rootfs: string;
}

/** A bundle made by a standard tool: `runc spec` over a copy of an image's files. */
export async function makeBundle(path: string, options: BundleOptions): Promise<Bundle> {
  const rootfs = join(path, "rootfs");
  mkdirSync(path, { recursive: true });
  cpSync(options.image ?? (await busyboxRootfs()), rootfs, { recursive: true, verbatimSymlinks: true });
  await execa("runc", ["spec", "--bundle", path]);
  const file = join(path, "config.json");
  const spec = JSON.parse(readFileSync(file, "utf8")) as EditableSpec;
  spec.process.terminal = false;
  spec.process.args = [...options.args];
  spec.process.env.push(...(options.env ?? []));
  options.edit?.(spec);
  writeFileSync(file, JSON.stringify(spec));
  if (!existsSync(rootfs)) throw new Error(`${rootfs} was not made`);
  return { path, rootfs };
}
