import { rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";

export interface OciImage {
  /** Such as `registry.k8s.io/pause`. */
  readonly name: string;
  readonly tag: string;
  readonly rootfs: string;
  readonly command: readonly string[];
}

/** An OCI image layout as an archive, made by umoci of a root file system. @returns its path */
export async function ociArchive(directory: string, image: OciImage): Promise<string> {
  const layout = join(directory, "layout");
  const reference = `${layout}:${image.tag}`;
  const archive = join(directory, "image.tar");
  await execa("umoci", ["init", "--layout", layout]);
  await execa("umoci", ["new", "--image", reference]);
  await execa("umoci", ["insert", "--image", reference, image.rootfs, "/"]);
  const command = image.command.flatMap((word) => ["--config.cmd", word]);
  await execa("umoci", ["config", "--image", reference, "--config.env", "PATH=/usr/bin:/bin", ...command]);
  await execa("tar", ["-C", layout, "-cf", archive, "."]);
  rmSync(layout, { recursive: true });
  return archive;
}
