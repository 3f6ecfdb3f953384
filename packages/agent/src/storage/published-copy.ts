import * as fs from "node:fs/promises";
import { join } from "node:path";

/** Leads to the directory that counts. The names beside it are links that lead through it. */
const DATA = "..data";
/** A ConfigMap or a Secret has no more than 1 MiB; a projected volume has several. */
const MOST_BYTES = 8 * 1024 * 1024;
const MOST_ENTRIES = 1000;

/** The directory is not as the kubelet publishes one, or has too much in it for a copy. */
export class NotPublishedError extends Error {}

/**
 * A copy of a directory that the kubelet publishes (ConfigMap, Secret, projected, downward API), which changes as the
 * original does: the new content is made beside the old one, and a rename of `..data` shows all of it at once. Programs that
 * watch the copy get events of their own kernel.
 */
export class PublishedCopy {
  readonly #source: string;
  readonly #copy: string;
  #shown: string | undefined;
  /** The kubelet makes and removes links after its swap: a look that comes between the two has to be repeated. */
  #linksAreOld = false;

  /** @param copy an empty directory */
  constructor(source: string, copy: string) {
    this.#source = source;
    this.#copy = copy;
  }

  /** @throws NotPublishedError; an error of the file system, also when the original changes meanwhile: the old content stays */
  async refresh(): Promise<void> {
    const target = await fs.readlink(join(this.#source, DATA)).catch(() => "");
    if (target === this.#shown) {
      if (this.#linksAreOld) await this.#followLinks(await linksIn(this.#source));
      this.#linksAreOld = false;
      return;
    }
    if (!/^\.\.[^/]+$/.test(target) || target === DATA) throw new NotPublishedError(`${this.#source} has no ${DATA}`);
    const links = await linksIn(this.#source);
    const made = join(this.#copy, target);
    try {
      await copyTree(join(this.#source, target), made, { bytes: MOST_BYTES, entries: MOST_ENTRIES });
      await this.#link(DATA, target);
    } catch (error) {
      await fs.rm(made, { recursive: true, force: true });
      throw error;
    }
    const old = this.#shown;
    this.#shown = target;
    this.#linksAreOld = true;
    await this.#followLinks(links);
    if (old !== undefined) await fs.rm(join(this.#copy, old), { recursive: true, force: true });
  }

  async #followLinks(links: ReadonlyMap<string, string>): Promise<void> {
    const present = await linksIn(this.#copy);
    for (const [name, target] of links) if (present.get(name) !== target) await this.#link(name, target);
    for (const name of present.keys()) if (!links.has(name)) await fs.rm(join(this.#copy, name));
  }

  /** The name is always there: programs that look at it meanwhile see the old target or the new one. */
  async #link(name: string, target: string): Promise<void> {
    const temporary = join(this.#copy, `${DATA}_tmp`);
    await fs.rm(temporary, { force: true });
    await fs.symlink(target, temporary);
    await fs.rename(temporary, join(this.#copy, name));
  }
}

/** The links that are for users of the volume. @throws NotPublishedError when something else is beside them */
async function linksIn(directory: string): Promise<Map<string, string>> {
  const links: Map<string, string> = new Map();
  for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
    if (entry.name.startsWith("..")) continue;
    if (!entry.isSymbolicLink()) throw new NotPublishedError(`${directory}/${entry.name} is no link`);
    links.set(entry.name, await fs.readlink(join(directory, entry.name)));
  }
  if (links.size > MOST_ENTRIES)
    throw new NotPublishedError(`${directory} has more than ${String(MOST_ENTRIES)} names`);
  return links;
}

interface Budget {
  bytes: number;
  entries: number;
}

/** Directories and files, with owner, mode and time. */
async function copyTree(from: string, to: string, budget: Budget): Promise<void> {
  const status = await fs.lstat(from);
  budget.entries -= 1;
  budget.bytes -= status.isDirectory() ? 0 : status.size;
  if (budget.entries < 0 || budget.bytes < 0) throw new NotPublishedError(`${from}: more than is copied`);
  if (status.isDirectory()) {
    await fs.mkdir(to, { mode: 0o700 });
    for (const name of await fs.readdir(from)) await copyTree(join(from, name), join(to, name), budget);
  } else if (status.isFile()) await fs.copyFile(from, to);
  else throw new NotPublishedError(`${from} is neither a file nor a directory`);
  await fs.lchown(to, status.uid, status.gid);
  await fs.chmod(to, status.mode & 0o7777);
  await fs.utimes(to, status.atime, status.mtime);
}
