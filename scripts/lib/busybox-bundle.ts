import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { DIST } from "./paths.ts";

interface EditableSpec {
  process: { args: readonly string[]; terminal: boolean };
}

/** An OCI bundle: config.json by `kata-runtime spec`, without a terminal, and a root file system with the host's static busybox. */
export async function makeBusyboxBundle(directory: string, args: readonly string[]): Promise<void> {
  const bin = join(directory, "rootfs", "bin");
  await mkdir(bin, { recursive: true });
  await copyFile("/bin/busybox", join(bin, "busybox"));
  const { stdout } = await execa("/bin/busybox", ["--list"]);
  for (const applet of stdout.split("\n")) if (applet !== "busybox") await symlink("busybox", join(bin, applet));
  await execa(join(DIST, "bin", "kata-runtime"), ["spec", "--bundle", directory]);
  const file = join(directory, "config.json");
  const spec = JSON.parse(await readFile(file, "utf8")) as EditableSpec;
  spec.process.args = args;
  spec.process.terminal = false;
  await writeFile(file, JSON.stringify(spec));
}
