import { createHash } from "node:crypto";
import { type BigIntStats, createReadStream, existsSync } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { readOwnFile } from "@kata-ts/linux";
import { mapOf, object, parseShape, type Shape, text } from "@kata-ts/linux/shape";
import { GuestError } from "./errors.ts";
import type { FileDescription } from "./manifest.ts";

/** A file as it was when its digest was last computed. */
interface Verified {
  readonly identity: string;
  readonly sha256: string;
}

const recordShape: Shape<Readonly<Record<string, Verified>>> = mapOf(
  object<Verified>({ identity: text, sha256: text }),
);

/** What the kernel changes with every write: the change time cannot be set back. */
function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

/**
 * Which files have had which digest. Reading 150 MiB takes a part of a second, and a file that is the same as it was needs it once:
 * the record outlives the process. Without a record that can be trusted, or written, files are read again.
 */
export class VerifiedFiles {
  readonly #file: string;

  /** @param file the record, in a directory of this user */
  constructor(file: string) {
    this.#file = file;
  }

  /** @throws GuestError where a file is not there, or is another than described */
  async check(described: ReadonlyMap<string, FileDescription>, signal?: AbortSignal): Promise<void> {
    const known = this.#read();
    const fresh: Record<string, Verified> = {};
    for (const [path, { bytes, sha256 }] of described) {
      const before = await statOf(path);
      if (before.size !== BigInt(bytes)) throw damaged(path, `has ${String(before.size)} bytes, not ${String(bytes)}`);
      const identity = identityOf(before);
      if (known[path]?.identity === identity && known[path].sha256 === sha256) continue;
      const found = await digestOf(path, signal);
      if (found !== sha256) throw damaged(path, `has the digest ${found}, not ${sha256}`);
      // A change meanwhile is of a digest that is not known.
      if (identityOf(await statOf(path)) === identity) fresh[path] = { identity, sha256 };
    }
    if (Object.keys(fresh).length > 0) await this.#write({ ...known, ...fresh });
  }

  #read(): Readonly<Record<string, Verified>> {
    try {
      return parseShape(recordShape, readOwnFile(this.#file), this.#file);
    } catch {
      return {};
    }
  }

  /** Two processes may do it at once: the last one's record stays, and what it lacks is verified again. */
  async #write(record: Readonly<Record<string, Verified>>): Promise<void> {
    const kept = Object.fromEntries(Object.entries(record).filter(([path]) => existsSync(path)));
    const unfinished = `${this.#file}.${String(process.pid)}`;
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o755 });
      await writeFile(unfinished, JSON.stringify(kept), { mode: 0o644 });
      await rename(unfinished, this.#file);
    } catch {
      await rm(unfinished, { force: true }).catch(() => undefined);
    }
  }
}

async function statOf(path: string): Promise<BigIntStats> {
  const found = await stat(path, { bigint: true }).catch((cause: unknown) => {
    throw damaged(path, "cannot be looked at", cause);
  });
  if (!found.isFile()) throw damaged(path, "is not a regular file");
  return found;
}

async function digestOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    signal?.throwIfAborted();
    hash.update(chunk as Buffer);
  }
  return hash.digest("hex");
}

function damaged(path: string, why: string, cause?: unknown): GuestError {
  const hint = "install @kata-ts/guest anew: remove node_modules, and npm install";
  return new GuestError(`the installed guest is damaged: ${path} ${why}`, hint, { cause });
}
