import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { join } from "node:path";
import { KataError } from "../errors.ts";
import { contentDigest } from "./content-digest.ts";
import { MANIFEST, type SnapshotManifest } from "./manifest.ts";
import { brokenSnapshot } from "./manifest-file.ts";

const WRITABLE_BY_OTHERS = 0o022;

/**
 * A snapshot whose directory and files are open. All that is read of it is read through these descriptors: what was checked is what
 * is restored, whatever has the names by then. To be disposed.
 */
export class OpenSnapshot implements Disposable {
  /** What it was opened as, for people. */
  readonly name: string;
  readonly manifest: SnapshotManifest;
  readonly #directory: SnapshotPlace;
  readonly #files: Map<string, number> = new Map();

  /** @param directory is the snapshot's from now on; @throws KataError KATA_SNAPSHOT for a file that is missing, or is none */
  constructor(name: string, directory: SnapshotPlace, manifest: SnapshotManifest) {
    this.name = name;
    this.manifest = manifest;
    this.#directory = directory;
    try {
      for (const part of partsOf(manifest)) this.#files.set(part, this.#open(part));
    } catch (error) {
      for (const descriptor of this.#files.values()) closeSync(descriptor);
      throw error;
    }
  }

  /** A path to its directory, which leads there while this is open. */
  get directory(): string {
    return this.#directory.path;
  }

  /** A path to one of its files, also for other processes, which leads there while this is open. */
  pathOf(file: string): string {
    return descriptorPath(this.#descriptorOf(file));
  }

  /** Checks that every file is what was written. @throws KataError KATA_SNAPSHOT that names the file, the signal's reason */
  async verify(signal?: AbortSignal): Promise<void> {
    for (const part of this.#files.keys()) {
      const { bytes, digest } = this.#written(part);
      const { size } = fstatSync(this.#descriptorOf(part));
      if (size !== bytes)
        throw brokenSnapshot(this.name, `${part} has ${String(size)} bytes instead of ${String(bytes)}`);
      if ((await contentDigest(this.pathOf(part), signal)) !== digest)
        throw brokenSnapshot(this.name, `${part} is not what was written`);
    }
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#files.values()) closeSync(descriptor);
    this.#files.clear();
    this.#directory[Symbol.dispose]();
  }

  #open(part: string): number {
    this.#written(part);
    const descriptor = openPart(this.name, join(this.#directory.path, part), part);
    if (fstatSync(descriptor).isFile()) return descriptor;
    closeSync(descriptor);
    throw brokenSnapshot(this.name, `${part} is not a file`);
  }

  #written(part: string): SnapshotManifest["files"][string] {
    const written = this.manifest.files[part];
    if (written === undefined) throw brokenSnapshot(this.name, `its ${MANIFEST} says nothing of ${part}`);
    return written;
  }

  #descriptorOf(file: string): number {
    const descriptor = this.#files.get(file);
    if (descriptor === undefined) throw new Error(`${file} of the snapshot ${this.name} is not open`);
    return descriptor;
  }
}

/** An open directory. */
export interface SnapshotPlace extends Disposable {
  /** Leads there while it is open. */
  readonly path: string;
}

/** Opens the directory of a snapshot. @throws KataError KATA_SNAPSHOT where there is none, or other users can write to it */
export function openPlace(name: string): SnapshotPlace {
  const descriptor = openDirectory(name);
  const { uid, mode } = fstatSync(descriptor);
  if (uid === process.getuid?.() && (mode & WRITABLE_BY_OTHERS) === 0) {
    let isOpen = true;
    return {
      path: descriptorPath(descriptor),
      [Symbol.dispose]: () => {
        if (isOpen) closeSync(descriptor);
        isOpen = false;
      },
    };
  }
  closeSync(descriptor);
  throw new KataError("KATA_SNAPSHOT", `other users can write to the snapshot ${name}: it is not restored`, {
    hint: "what is restored is run: keep snapshots in directories of root's alone",
  });
}

function openDirectory(name: string): number {
  try {
    return openSync(name, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code !== "ENOENT";
    throw brokenSnapshot(name, isThere ? "it is not a directory" : "there is no such directory", error);
  }
}

/** A link is not followed, and a pipe that no process writes to not waited for. */
function openPart(name: string, path: string, part: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw brokenSnapshot(name, isMissing ? `${part} is missing` : `${part} is not a file`, error);
  }
}

function partsOf({ vm }: SnapshotManifest): string[] {
  return [vm.memory, vm.state, ...vm.disks.map(({ file }) => file)];
}

/** Other processes find it there, too. */
function descriptorPath(descriptor: number): string {
  return `/proc/${String(process.pid)}/fd/${String(descriptor)}`;
}
