import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { identifyProcess, isAlive, type ProcessIdentity } from "@kata-ts/linux";
import { FileStore, KataError, parseContainerId } from "@kata-ts/virtcontainers/records";

/** On disk: an unpacked image is too large for /run. */
const BUNDLES = "/var/lib/kata-ts/bundles";
const OWNER = "owner.json";

/** Who made a bundle, and where its container's record is. */
interface Owner {
  readonly creator: ProcessIdentity;
  readonly root: string;
}

/** A bundle that lives as long as a `kata run`. One whose process was killed is removed by the next. */
export class FrontBundle implements AsyncDisposable {
  readonly path: string;

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

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
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
    if (isGone) await rm(path, { recursive: true, force: true });
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
