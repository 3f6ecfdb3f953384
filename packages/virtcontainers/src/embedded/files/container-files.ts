import { Readable } from "node:stream";
import type { FileOperation } from "@kata-ts/agent-protocol";
import { anyObject, type Shape } from "@kata-ts/linux/shape";
import type { DetailedEntry, DirectoryEntry, FileStat } from "@kata-ts/tree";
import { type LimitOptions, withinLimit } from "../limit.ts";
import { checkOptions, limitShape } from "../process-shape.ts";
import { CopyReports } from "./copy-reports.ts";
import { FileCalls, type FileReports, type FilesAccess, parseAnswer } from "./file-calls.ts";
import { buffers, type FileContent } from "./file-content.ts";
import { ContainerFileError } from "./file-error.ts";
import type {
  CopyInOptions,
  CopyOutOptions,
  FileChange,
  ListOptions,
  MkdirOptions,
  ReadOptions,
  RemoveOptions,
  StatOptions,
  WriteOptions,
} from "./file-options.ts";
import {
  containerPath,
  copyInOptions,
  copyOutOptions,
  detailedEntry,
  directoryEntry,
  fileStat,
  listOptions,
  mkdirOptions,
  readOptions,
  removeOptions,
  statOptions,
  watchEvent,
  writeOptions,
} from "./file-shape.ts";
import { linesOf } from "./lines.ts";
import { sendContent } from "./send-content.ts";

const MAX_BYTES = 16 * 2 ** 20;
const MAX_ENTRIES = 100_000;
/** Of the lines of a listing, beside so much for each entry: a guest may put more into each than a directory has. */
const LISTING_LENGTH = 2 ** 20;
const ENTRY_LENGTH = 512;

/**
 * The files of a container that is created, runs or is paused, as its processes see them, with its mounts. The guest's agent does it, as root: links lead
 * nowhere out of the container's root, only regular files are opened, and nothing is written to file systems of the kernel's.
 *
 * Every call takes `signal` and `timeoutMs`.
 *
 * @example
 * await container.files.write("/srv/job.py", source, { mode: 0o755 });
 * const report = await container.files.readText("/srv/report.txt");
 */
export class ContainerFiles {
  readonly #calls: FileCalls;

  constructor(access: FilesAccess) {
    this.#calls = new FileCalls(access);
  }

  /** The content of a file. @throws ContainerFileError, EFBIG for more than `maxBytes` */
  async read(path: string, options: ReadOptions = {}): Promise<Buffer> {
    const { maxBytes = MAX_BYTES, offset, length = maxBytes + 1 } = options;
    const operation = { name: "read", path, offset, length: Math.min(length, maxBytes + 1) } as const;
    const what = `read ${path}`;
    return this.#limited(what, path, options, readOptions, (signal) =>
      this.#calls.transfer(what, operation, signal, async ({ stdout }) => {
        const pieces: Buffer[] = [];
        let read = 0;
        for await (const piece of stdout as AsyncIterable<Buffer>) {
          pieces.push(piece);
          read += piece.length;
          if (read > maxBytes) throw tooLarge(what, path, `it has more than ${String(maxBytes)} bytes`);
        }
        return Buffer.concat(pieces);
      }),
    );
  }

  /** As read(), as text: what is no UTF-8 becomes U+FFFD. */
  async readText(path: string, options: ReadOptions = {}): Promise<string> {
    return (await this.read(path, options)).toString();
  }

  /** The content of a file, as it is read; it is opened when the stream is. */
  readStream(path: string, options: Omit<ReadOptions, "maxBytes"> = {}): Readable {
    check(path, options, readOptions, "readStream");
    const { offset, length } = options;
    return Readable.from(this.#stream(`read ${path}`, { name: "read", path, offset, length }, options));
  }

  /** Writes a file, and makes it where there is none. */
  async write(path: string, content: FileContent, options: WriteOptions = {}): Promise<void> {
    const { append = false, exclusive = false, mode, uid, gid } = options;
    const operation = { name: "write", path, append, exclusive, mode, uid, gid } as const;
    await this.#send(`write ${path}`, operation, content, options, writeOptions);
  }

  async stat(path: string, options: StatOptions = {}): Promise<FileStat> {
    const operation = { name: "stat", path, follow: options.follow ?? true } as const;
    return await this.#ask(`look at ${path}`, operation, options, statOptions, fileStat);
  }

  /** Whether there is something; a link that leads to nothing counts as nothing. */
  async exists(path: string, options: LimitOptions = {}): Promise<boolean> {
    try {
      await this.stat(path, options);
      return true;
    } catch (error) {
      if (error instanceof ContainerFileError && (error.errno === "ENOENT" || error.errno === "ENOTDIR")) return false;
      throw error;
    }
  }

  /**
   * What is in a directory, by name and type, in no order; with `details` as `stat` has each. Names that are no UTF-8 have U+FFFD in
   * them. An entry's name has no slash and is not `..`, whatever the guest says.
   *
   * @throws ContainerFileError, EFBIG for more than `maxEntries`, or a listing of more than 1 MiB and 512 bytes for each of them
   */
  async list(path: string, options: ListOptions & { readonly details: true }): Promise<DetailedEntry[]>;
  async list(path: string, options?: ListOptions): Promise<DirectoryEntry[]>;
  async list(path: string, options: ListOptions = {}): Promise<DirectoryEntry[]> {
    const { maxEntries = MAX_ENTRIES, details } = options;
    const operation = { name: "list", path, maxEntries, ...(details === true && { details }) } as const;
    const what = `list ${path}`;
    const shape: Shape<DirectoryEntry> = details === true ? detailedEntry : directoryEntry;
    return this.#limited(what, path, options, listOptions, (signal) =>
      this.#calls.transfer(what, operation, signal, async ({ stdout }) => {
        const entries: DirectoryEntry[] = [];
        let length = 0;
        for await (const line of linesOf(stdout as AsyncIterable<Buffer>)) {
          length += line.length;
          if (entries.length === maxEntries || length > LISTING_LENGTH + maxEntries * ENTRY_LENGTH)
            throw tooLarge(what, path, "the guest sent more than it was asked for");
          entries.push(parseAnswer(shape, line));
        }
        return entries;
      }),
    );
  }

  /** Makes a directory, of mode 755 unless another is given. */
  async mkdir(path: string, options: MkdirOptions = {}): Promise<void> {
    const { recursive = false, mode, uid, gid } = options;
    await this.#ask(
      `make the directory ${path}`,
      { name: "mkdir", path, recursive, mode, uid, gid },
      options,
      mkdirOptions,
      anyObject,
    );
  }

  /** As rename(2): what has the new name already is replaced, but for a directory that is not empty. */
  async rename(path: string, to: string, options: LimitOptions = {}): Promise<void> {
    checkOptions(containerPath, to, "the new path");
    await this.#ask(`rename ${path}`, { name: "rename", path, to }, options, limitShape, anyObject);
  }

  /** Removes a file, a link or a directory. Links are not followed. */
  async remove(path: string, options: RemoveOptions = {}): Promise<void> {
    const { recursive = false, force = false } = options;
    const what = `remove ${path}`;
    await this.#limited(what, path, options, removeOptions, (signal) =>
      this.#calls.transfer(what, { name: "remove", path, recursive, force }, signal, async () => undefined),
    );
  }

  /**
   * A tar of what a path leads to, with all below it. `unpack` of @kata-ts/tree makes it a directory of the host, where nothing in it
   * can lead out of.
   */
  copyOut(path: string, options: CopyOutOptions = {}): Readable {
    check(path, options, copyOutOptions, "copyOut");
    const { name, follow = false } = options;
    const reports = new CopyReports(options);
    const stream = this.#stream(`copy ${path}`, { name: "pack", path, as: name, follow }, options, reports);
    return Readable.from(reports.counted(stream), { objectMode: false });
  }

  /**
   * Makes what a tar has in a directory that exists. Files and links of such names are replaced, directories stay.
   *
   * @param path the directory
   */
  async copyIn(path: string, tar: AsyncIterable<string | Uint8Array>, options: CopyInOptions = {}): Promise<void> {
    const reports = new CopyReports(options);
    const operation = { name: "unpack", path, owner: options.owner } as const;
    await this.#send(`copy to ${path}`, operation, reports.counted(buffers(tar)), options, copyInOptions, reports);
  }

  /**
   * The changes of a directory, or of a file, from the time on at which the first is asked for. What the host changes in a directory that it shares is no change
   * here. Ends with the loop, with `signal`, or with `timeoutMs`.
   */
  async *watch(path: string, options: LimitOptions = {}): AsyncGenerator<FileChange, void, undefined> {
    check(path, options, limitShape, "watch");
    for await (const line of linesOf(this.#stream(`watch ${path}`, { name: "watch", path }, options))) {
      const { type, name = "" } = parseAnswer(watchEvent, line);
      if (type !== "ready") yield { type, name };
    }
  }

  async #ask<T extends LimitOptions, R extends object>(
    what: string,
    operation: FileOperation,
    options: T,
    shape: Shape<T>,
    result: Shape<R>,
  ): Promise<R> {
    return this.#limited(what, operation.path, options, shape, (signal) =>
      this.#calls.ask(what, operation, result, signal),
    );
  }

  async #send<T extends LimitOptions>(
    what: string,
    operation: FileOperation,
    content: FileContent,
    options: T,
    shape: Shape<T>,
    reports?: FileReports,
  ): Promise<void> {
    await this.#limited(what, operation.path, options, shape, (signal) =>
      this.#calls.transfer(what, operation, signal, (guest) => sendContent(content, guest, signal), reports),
    );
  }

  /** What an operation puts out, until its end. A reader that leaves ends the operation. */
  async *#stream(
    what: string,
    operation: FileOperation,
    limits: LimitOptions,
    reports?: FileReports,
  ): AsyncGenerator<Buffer, void, undefined> {
    limits.signal?.throwIfAborted();
    const over = new AbortController();
    const ended = Promise.withResolvers<void>();
    // The limit runs beside the stream, which it ends.
    const limited = this.#calls.during(() =>
      withinLimit(what, { signal: limits.signal, timeoutMs: limits.timeoutMs }, () => ended.promise),
    );
    limited.catch((error: unknown) => {
      over.abort(error);
    });
    try {
      using opened = await this.#calls.open(what, operation, over.signal, reports);
      try {
        yield* opened.guest.stdout as AsyncIterable<Buffer>;
      } catch (error) {
        over.signal.throwIfAborted();
        throw error;
      }
      await opened.end();
    } finally {
      ended.resolve();
    }
  }

  async #limited<T extends LimitOptions, R>(
    what: string,
    path: string,
    options: T,
    shape: Shape<T>,
    work: (signal: AbortSignal) => Promise<R>,
  ): Promise<R> {
    check(path, options, shape, what);
    const limits = { signal: options.signal, timeoutMs: options.timeoutMs };
    return await this.#calls.during(() => withinLimit(what, limits, work));
  }
}

/** @throws KataError KATA_CONFIG */
function check<T>(path: string, options: T, shape: Shape<T>, what: string): void {
  checkOptions(containerPath, path, "the path");
  checkOptions(shape, options, what);
}

function tooLarge(what: string, path: string, message: string): ContainerFileError {
  return new ContainerFileError(what, path, { errno: "EFBIG", message });
}
