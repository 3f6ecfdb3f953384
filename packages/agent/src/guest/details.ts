import { existsSync, readFileSync } from "node:fs";
import type { ResponseInput } from "@kata-ts/agent-protocol";
import { DISKS } from "../storage/find-disk.ts";
import { storageDrivers } from "../storage/storage.ts";
import { AGENT_VERSION } from "../version.ts";

const BLOCK_SIZE = "/sys/devices/system/memory/block_size_bytes";
const PROBE = "/sys/devices/system/memory/probe";

export function guestDetails(wantBlockSize: boolean, wantProbe: boolean): ResponseInput<"getGuestDetails"> {
  const blockSize =
    wantBlockSize && existsSync(BLOCK_SIZE) ? Number.parseInt(readFileSync(BLOCK_SIZE, "latin1"), 16) : 0;
  return {
    mem_block_size_bytes: blockSize,
    agent_details: {
      version: AGENT_VERSION,
      init_daemon: process.pid === 1,
      device_handlers: Object.keys(DISKS),
      storage_handlers: [...storageDrivers],
      supports_seccomp: true,
    },
    support_mem_hotplug_probe: wantProbe && existsSync(PROBE),
  };
}
