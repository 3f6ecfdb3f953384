import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { CONTAINERD_SHIM, RUNTIME } from "../paths.ts";
import { Daemon } from "./daemon.ts";
import { type EngineRoot, savableConfiguration } from "./root/engine-root.ts";

interface BlockStorePlace {
  readonly directory: string;
  readonly namespace: string;
  readonly root: EngineRoot;
}

/** A containerd for Docker, whose snapshots are file systems on loop devices. */
export async function startBlockStore({ directory, namespace, root }: BlockStorePlace): Promise<Daemon> {
  const scratch = join(directory, "scratch.ext4");
  await execa("mke2fs", ["-q", "-t", "ext4", scratch, "64m"]);
  const config = join(directory, "containerd.toml");
  writeFileSync(config, configuration(directory, scratch));
  return Daemon.start({
    namespace,
    root,
    command: ["containerd", "--config", config],
    // It leaves the files of what it has restored.
    env: { TMPDIR: directory, XDG_RUNTIME_DIR: directory },
    ready: /containerd successfully booted/,
  });
}

/** What daemon.json has for it, and for containers that can be saved: by the shim for runc, and by ours. */
export function blockStoreSettings(directory: string): object {
  const config = join(directory, "savable.toml");
  writeFileSync(config, savableConfiguration());
  return {
    containerd: socketOf(directory),
    features: { "containerd-snapshotter": true },
    "storage-driver": "blockfile",
    runtimes: {
      savable: { path: RUNTIME, runtimeArgs: ["--config", config] },
      "savable-v2": {
        runtimeType: CONTAINERD_SHIM,
        options: { TypeUrl: "runtimeoptions/v1.Options", ConfigPath: config },
      },
    },
  };
}

function socketOf(directory: string): string {
  return join(directory, "c.sock");
}

function configuration(directory: string, scratch: string): string {
  return `version = 2
root = "${directory}/containerd"
state = "${directory}/containerd-state"
[grpc]
address = "${socketOf(directory)}"
[plugins."io.containerd.snapshotter.v1.blockfile"]
root_path = "${directory}/blockfile"
scratch_file = "${scratch}"
fs_type = "ext4"
`;
}
