import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { invalidArgument } from "../errors.ts";
import { deviceAtPath } from "../guest/pci-path.ts";

/** Finds a disk by where the host has put it; undefined while it is not there. */
type FindDisk = (where: string, sys: string) => string | undefined;

/** Kata's kinds of disks, of storages and of devices alike. */
export const DISKS: Readonly<Record<string, FindDisk>> = {
  blk: (pciPath) => deviceAtPath(pciPath, "block"),
  scsi: scsiDisk,
  nvdimm: namedDisk,
  mmioblk: namedDisk,
};

/**
 * The name of a disk, such as `vdb`.
 *
 * @param kind one of DISKS; @param where a PCI path, a SCSI id and unit `0:1`, or the path `/dev/pmem1`
 * @throws AgentRpcError INVALID_ARGUMENT
 */
export function findDisk(kind: string, where: string, sys = "/sys"): string | undefined {
  const find = Object.hasOwn(DISKS, kind) ? DISKS[kind] : undefined;
  if (find === undefined) throw invalidArgument(`Unknown kind of disk "${kind}"`);
  return find(where, sys);
}

/** On any host adapter: QEMU's has one channel. A plugged unit is found by a scan of its adapter. */
function scsiDisk(where: string, sys: string): string | undefined {
  const [, id, unit] = /^(\d{1,5}):(\d{1,5})$/.exec(where) ?? [];
  if (id === undefined || unit === undefined) throw invalidArgument(`"${where}" is no SCSI id and unit`);
  for (const host of namesIn(`${sys}/class/scsi_host`)) {
    const number = host.replace(/^host/, "");
    const device = `${sys}/bus/scsi/devices/${number}:0:${id}:${unit}`;
    if (!existsSync(device)) scan(`${sys}/class/scsi_host/${host}/scan`, `0 ${id} ${unit}`);
    const [disk] = namesIn(`${device}/block`);
    if (disk !== undefined) return disk;
  }
  return undefined;
}

function scan(file: string, what: string): void {
  try {
    writeFileSync(file, what);
  } catch {
    return; // This adapter has no such id.
  }
}

function namedDisk(where: string, sys: string): string | undefined {
  const [, name] = /^\/dev\/([a-z]+\d*)$/.exec(where) ?? [];
  if (name === undefined) throw invalidArgument(`"${where}" is no disk`);
  return existsSync(`${sys}/class/block/${name}`) ? name : undefined;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
