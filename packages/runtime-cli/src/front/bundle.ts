import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { identifyProcess, isAlive, type ProcessIdentity } from "@kata-ts/linux";
import { FileStore, KataError, parseContainerId } from "@kata-ts/virtcontainers/records";
import { undoNetwork } from "./network.ts";

/** On disk: an unpacked image is too large for /run. */
const BUNDLES = "/var/lib/kata-ts/bundles";
const OWNER = "owner.json";

/** Who made a bundle, and where its container's record is. */
interface Owner {
  readonly creator: ProcessIdentity;
  readonly root: string;
  /** Nobody waits for it: who stops it removes it. */
  readonly detached?: boolean;
}

/** A bundle that lives as long as a `kata run`. One whose process was killed is removed by the next. */
export class FrontBundle implements AsyncDisposable {
  readonly path: string;
  #kept = false;

  private constructor(path: string) {
    this.path = path;
  }

  /** @param root where containers are recorded; @throws KataError KATA_ID_INVALID, KATA_ID_IN_USE */
  static async create(id: string, root: string): Promise<FrontBundle> {
    const path = join(BUNDLES, parseContainerId(id));
    mkdirSync(BUNDLES, { recursive: true, mode: 0o711 });
    await sweep();
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      throw new KataError("KATA_ID_IN_USE", `${id} runs already`, { cause: error });
    }
    const owner: Owner = { creator: identifyProcess(process.pid), root: resolve(root) };
    writeFileSync(join(path, OWNER), JSON.stringify(owner));
    return new FrontBundle(path);
  }

  /** The one of a container that runs detached; undefined: whoever started it waits for it. */
  static detached(id: string): FrontBundle | undefined {
    const path = join(BUNDLES, id);
    return ownerOf(path)?.detached === true ? new FrontBundle(path) : undefined;
  }

  /** What the container writes, where nobody waits for it. */
  get output(): string {
    return join(this.path, "output.log");
  }

  /** From now on it outlives this process. */
  detach(): void {
    const owner = ownerOf(this.path);
    writeFileSync(join(this.path, OWNER), JSON.stringify({ ...owner, detached: true }));
    this.#kept = true;
  }

  /** Removes it with its network, unless it was detached by this process. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#kept) await remove(this.path);
  }
}

async function remove(path: string): Promise<void> {
  await undoNetwork(path);
  await rm(path, { recursive: true, force: true });
}

/** Removes those whose process is dead and whose container is gone: one that was left running still needs its files. */
async function sweep(): Promise<void> {
  for (const name of readdirSync(BUNDLES)) {
    const path = join(BUNDLES, name);
    const owner = ownerOf(path);
    if (owner === undefined || isAlive(owner.creator)) continue;
    const record = new FileStore(owner.root).read(parseContainerId(name));
    const isGone = await record.then(
      () => false,
      (error: unknown) => error instanceof KataError && error.code === "KATA_NOT_FOUND",
    );
    if (isGone) await remove(path);
  }
}

/** Undefined for one that is being made at this moment. */
function ownerOf(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(join(path, OWNER), "utf8")) as Owner;
  } catch {
    return undefined;
  }
}
