import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LinuxError, lockFile } from "@kata-ts/linux";
import { count, flag, object, oneOf, optional, parseShape, type Shape, text } from "@kata-ts/linux/shape";
import { KataError } from "../errors.ts";

/** A disk that is plugged into a VM. */
export interface DiskRecord {
  /** The container that it belongs to, and DiskOptions.index. */
  readonly owner: string;
  readonly index: number;
  readonly readonly: boolean;
  readonly kind: "blk" | "scsi";
  /** PluggedDisk.where. */
  readonly where: string;
  /** What the monitor has open for it, by the numbers of stat(2): it may have no name any more. */
  readonly device: string;
  readonly inode: string;
  /** Its guest was asked for it, and may let go of it when no call waits any more. */
  readonly leaving?: boolean | undefined;
}

const shape: Shape<DiskRecord> = object<DiskRecord>({
  owner: text,
  index: count,
  readonly: flag,
  kind: oneOf("blk", "scsi"),
  where: text,
  device: text,
  inode: text,
  leaving: optional(flag),
});

const SUFFIX = ".json";
/** A plug, or what is left of late disks before a VM is saved. */
const LOCK_DEADLINE_MS = 60_000;

/** The disks of a VM, as a file each in the VM's directory. */
export class DiskRecords {
  readonly #directory: string;
  readonly #lockFile: string;

  constructor(vmDirectory: string) {
    this.#lockFile = join(vmDirectory, "disks.lock");
    this.#directory = join(vmDirectory, "disks");
  }

  /**
   * Keeps other calls from plugging disks in, and from giving late ones back: what is decided by the records is done before they
   * change. @throws KataError KATA_LOCK_TIMEOUT
   */
  async lock(): Promise<Disposable> {
    try {
      return await lockFile(this.#lockFile, { deadlineMs: LOCK_DEADLINE_MS });
    } catch (error) {
      // The VM has gone whole, and its records: no call changes them.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return { [Symbol.dispose]: () => undefined };
      if (!(error instanceof LinuxError) || error.errno !== "ETIMEDOUT") throw error;
      throw new KataError("KATA_LOCK_TIMEOUT", `${this.#lockFile}: another call plugs disks in for too long`, {
        cause: error,
        hint: "try again: that call ends, or its monitor has hung",
      });
    }
  }

  /** @param path of the file or device, as the monitor was given it */
  async add(disk: Omit<DiskRecord, "device" | "inode">, path: string): Promise<void> {
    const { dev, ino } = await stat(path, { bigint: true });
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const record: DiskRecord = { ...disk, device: String(dev), inode: String(ino) };
    await this.#write(record);
  }

  /** All of a container's are asked for: to be recorded before they are. @returns the highest index; undefined without any */
  async leave(owner: string): Promise<number | undefined> {
    const own = (await this.list()).filter((disk) => disk.owner === owner);
    for (const disk of own) await this.#write({ ...disk, leaving: true });
    return own.length === 0 ? undefined : Math.max(...own.map(({ index }) => index));
  }

  /** Containers whose disks were asked for, and were not seen to be out. */
  async leaving(): Promise<ReadonlySet<string>> {
    return new Set((await this.list()).filter(({ leaving }) => leaving === true).map(({ owner }) => owner));
  }

  /** All of a container's that were asked for: another call may have plugged in others since. */
  async remove(owner: string): Promise<void> {
    for (const disk of await this.list()) {
      if (disk.owner === owner && disk.leaving === true) await rm(this.#path(disk), { force: true });
    }
  }

  /** In the order of their owners and indices. @throws SyntaxError, TypeError for a damaged record */
  async list(): Promise<readonly DiskRecord[]> {
    const names = (await readdir(this.#directory).catch(() => [])).filter((name) => name.endsWith(SUFFIX)).sort();
    const records = await Promise.all(names.map((name) => read(join(this.#directory, name))));
    return records.filter((record) => record !== undefined);
  }

  /** Whole: other calls may read it, or write it, too. */
  async #write(record: DiskRecord): Promise<void> {
    const path = this.#path(record);
    const unfinished = `${path}.${randomBytes(6).toString("hex")}`;
    await writeFile(unfinished, JSON.stringify(record), { mode: 0o600 });
    await rename(unfinished, path);
  }

  #path({ owner, index }: Pick<DiskRecord, "owner" | "index">): string {
    return join(this.#directory, `${owner}.${String(index)}${SUFFIX}`);
  }
}

/** Undefined where another call has removed it meanwhile. */
async function read(path: string): Promise<DiskRecord | undefined> {
  try {
    return parseShape(shape, await readFile(path, "utf8"), path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}
