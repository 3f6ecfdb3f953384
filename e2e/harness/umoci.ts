import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Bundle, EditableSpec } from "./bundle.ts";
import { busyboxRootfs } from "./images.ts";

/** An OCI image layout with a busybox layer and a configuration, unpacked by umoci into a bundle. */
export async function umociBundle(directory: string, args: readonly string[]): Promise<Bundle> {
  const layout = join(directory, "layout");
  const image = `${layout}:latest`;
  await execa("umoci", ["init", "--layout", layout]);
  await execa("umoci", ["new", "--image", image]);
  await execa("umoci", ["insert", "--image", image, await busyboxRootfs(), "/"]);
  const env = ["--config.env", "PATH=/bin", "--config.env", "ORIGIN=an image"];
  await execa("umoci", ["config", "--image", image, ...env, "--config.cmd", "sh"]);
  const path = join(directory, "umoci-bundle");
  await execa("umoci", ["unpack", "--image", image, path]);
  const file = join(path, "config.json");
  const spec = JSON.parse(readFileSync(file, "utf8")) as EditableSpec;
  spec.process.args = [...args];
  spec.process.terminal = false;
  writeFileSync(file, JSON.stringify(spec));
  return { path, rootfs: join(path, "rootfs") };
}
