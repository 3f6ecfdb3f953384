import { constants } from "node:fs";
import { mkdir, mkdtemp, open, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type FileLock, ForeignFileError, LinuxError, lockFile, randomUuid, readOwnFile } from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import { type ContainerId, isContainerId } from "../identifiers.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { ContainerRecord, Store } from "../ports/store.ts";
import { isIncarnation, isUnchanged, type Known, requireIncarnation } from "./incarnation.ts";
import { parseRecord } from "./record-schema.ts";

const RECORD = "kata.json";
const LOCK = "kata.lock";
/** Prefix of directories that are being made: no id begins so. */
const UNFINISHED = "~kata-";
/** What moving a directory to the name of another one says. */
const TAKEN: readonly (string | undefined)[] = ["ENOTEMPTY", "EEXIST", "ENOTDIR"];
/** What is being made or removed does not take so long. */
const SWEEP_AFTER_MS = 60_000;
const LOCK_DEADLINE_MS = 10_000;

/**
 * Records as files: `<root>/<id>/kata.json`, replaced atomically. Engines share their root with other runtimes:
 * directories without our file are not ours.
 */
export class FileStore implements Store {
  readonly #root: string;

  constructor(root: string) {
    this.#root = resolve(root);
  }

  async claim(record: ContainerRecord): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    // Made aside and moved as a whole: a crash in between must not keep the id from ever being used again.
    const unfinished = await mkdtemp(join(this.#root, UNFINISHED));
    try {
      await this.#write(unfinished, record);
      await rename(unfinished, join(this.#root, record.id));
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      if (!TAKEN.includes((error as NodeJS.ErrnoException).code)) throw error;
      throw new KataError("KATA_ID_IN_USE", `container with id exists: ${record.id}`, {
        hint: "choose another id, or delete that container first",
      });
    }
  }

  async read(id: ContainerId): Promise<ContainerRecord> {
    const path = join(this.#root, id, RECORD);
    try {
      return parseRecord(readOwnFile(path), path);
    } catch (error) {
      if (error instanceof ForeignFileError) throw foreign(id, error);
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
      throw notFound(id);
    }
  }

  async update(
    id: ContainerId,
    change: (record: ContainerRecord) => ContainerRecord,
    incarnation?: string,
  ): Promise<ContainerRecord> {
    await this.read(id); // An id that is not there must not get a lock file.
    const lock = await this.#lock(id);
    try {
      const before = await this.read(id);
      requireIncarnation(before, incarnation);
      const after = { ...change(before), generation: before.generation + 1 };
      await this.#write(join(this.#root, id), after);
      return after;
    } finally {
      lock[Symbol.dispose]();
    }
  }

  async remove(id: ContainerId, known: Known = {}): Promise<boolean> {
    const dir = join(this.#root, id);
    const names = await readdir(dir).catch(() => []);
    if (!names.some(isOurs)) return removeEmpty(dir);
    // Who changes the record at this moment must not write into a directory that is no longer this container's.
    using _lock = await this.#lock(id).catch(ignoreLate);
    const record = await this.read(id).catch(ignoreUnreadable);
    if (record !== undefined && !isIncarnation(record, known.incarnation)) return true;
    if (record !== undefined && !isUnchanged(record, known)) return false;
    if (!names.every(isOurs)) {
      for (const name of names.filter(isOurs)) await rm(join(dir, name), { force: true });
      return true;
    }
    const aside = `${join(this.#root, UNFINISHED)}${newSuffix()}`;
    await rename(dir, aside).catch(ignoreMissing);
    await rm(aside, { recursive: true, force: true });
    return true;
  }

  async sweep(): Promise<void> {
    const names = await readdir(this.#root).catch(() => []);
    for (const path of names.filter((name) => name.startsWith(UNFINISHED)).map((name) => join(this.#root, name))) {
      const made = await stat(path).catch(() => undefined);
      if (made !== undefined && Date.now() - made.mtimeMs > SWEEP_AFTER_MS)
        await rm(path, { recursive: true, force: true });
    }
  }

  async list(): Promise<ContainerId[]> {
    const entries = await readdir(this.#root, { withFileTypes: true }).catch(() => []);
    const ours: ContainerId[] = [];
    for (const entry of entries) {
      if (!entry.isDirectory() || entry.name.startsWith(UNFINISHED)) continue;
      const files = await readdir(join(this.#root, entry.name)).catch((): string[] => []);
      if (files.includes(RECORD) && isContainerId(entry.name)) ours.push(entry.name);
    }
    return ours.sort();
  }

  locationOf(id: ContainerId): string {
    return join(this.#root, id, RECORD);
  }

  async vmAt(location: string): Promise<VmState | undefined> {
    try {
      return parseRecord(readOwnFile(location), location).vm;
    } catch {
      return undefined;
    }
  }

  async #lock(id: ContainerId): Promise<FileLock> {
    try {
      return await lockFile(join(this.#root, id, LOCK), { deadlineMs: LOCK_DEADLINE_MS });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") throw notFound(id);
      if (!(error instanceof LinuxError && error.errno === "ETIMEDOUT")) throw error;
      throw new KataError("KATA_LOCK_TIMEOUT", `container ${id}: another call has held its record for too long`, {
        cause: error,
      });
    }
  }

  async #write(dir: string, record: ContainerRecord): Promise<void> {
    const unfinished = join(dir, `kata.${newSuffix()}.tmp`);
    try {
      const file = await open(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
      try {
        await file.writeFile(`${JSON.stringify(record, null, 2)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, join(dir, RECORD));
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
  }
}

/** Engines share their root: other files in a container's directory belong to other programs. */
function isOurs(name: string): boolean {
  return name.startsWith("kata.");
}

async function removeEmpty(dir: string): Promise<true> {
  await rmdir(dir).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTEMPTY") throw error;
  });
  return true;
}

/** Its hooks are programs to run, its processes are to be killed. */
function foreign(id: ContainerId, cause: ForeignFileError): KataError {
  return new KataError("KATA_STATE_FILE", `the record of container ${id} is not believed: ${cause.message}`, {
    cause,
    hint: "`delete --force` removes it, and obeys nothing that it says",
  });
}

function notFound(id: ContainerId): KataError {
  return new KataError("KATA_NOT_FOUND", `container does not exist: ${id}`);
}

/** A stuck holder of the lock must not keep a container from being removed, nor must a call that has removed it already. */
function ignoreLate(error: unknown): undefined {
  if (error instanceof KataError) return undefined;
  throw error;
}

/** What cannot be read may be removed. */
function ignoreUnreadable(): undefined {
  return undefined;
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

function newSuffix(): string {
  return randomUuid().slice(0, 8);
}
