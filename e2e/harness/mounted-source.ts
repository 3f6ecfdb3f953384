import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MountFlag, mount, unmount } from "@kata-ts/linux";

/** A file system of the host's with another one below it, as volumes are on a host whose mounts propagate. */
export class MountedSource implements Disposable {
  readonly path: string = mkdtempSync("/tmp/e2e-mounts-");
  readonly below: string = join(this.path, "below");

  constructor() {
    mount("none", this.path, "tmpfs", 0);
    mount("none", this.path, null, MountFlag.shared);
    mkdirSync(this.below);
    mount("none", this.below, "tmpfs", 0);
    writeFileSync(join(this.below, "file"), "of the mount below\n");
  }

  /** Mounts another file system below it. @returns the name of its mount point */
  mountLater(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path);
    mount("none", path, "tmpfs", 0);
    writeFileSync(join(path, "file"), "mounted later\n");
    return name;
  }

  /** What is mounted below it now. */
  mounts(): string[] {
    const targets = readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[1] ?? "");
    return targets.filter((target) => target.startsWith(`${this.path}/`)).sort();
  }

  [Symbol.dispose](): void {
    for (const target of this.mounts().reverse()) unmount(target);
    unmount(this.path);
    rmSync(this.path, { recursive: true });
  }
}
