import { mkdirSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { identifyProcess } from "@kata-ts/linux";
import { KataError, parseContainerId } from "@kata-ts/virtcontainers/records";
import { type BundleOwner, ownerOf, removeBundle, sweepBundles, type Warn, writeOwner } from "./leftovers.ts";

/** On disk: an unpacked image is too large for /run. */
const BUNDLES = "/var/lib/kata-ts/bundles";

/** A bundle that lives as long as a `kata run`. One whose process was killed is removed by the next. */
export class FrontBundle implements AsyncDisposable {
  readonly path: string;
  #kept = false;

  private constructor(path: string) {
    this.path = path;
  }

  /** @param root where containers are recorded; @throws KataError KATA_ID_INVALID, KATA_ID_IN_USE */
  static async create(id: string, root: string, warn: Warn): Promise<FrontBundle> {
    const path = join(BUNDLES, parseContainerId(id));
    mkdirSync(BUNDLES, { recursive: true, mode: 0o711 });
    await sweepBundles(BUNDLES, resolve(root), warn);
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      throw new KataError("KATA_ID_IN_USE", `${id} runs already`, { cause: error });
    }
    const owner: BundleOwner = { creator: identifyProcess(process.pid), root: resolve(root) };
    writeOwner(path, owner);
    return new FrontBundle(path);
  }

  /** The bundle of a detached container; undefined where the process that started the container waits for it. */
  static detached(id: string): FrontBundle | undefined {
    const path = join(BUNDLES, id);
    return ownerOf(path)?.detached === true ? new FrontBundle(path) : undefined;
  }

  /** The output of a detached container. */
  get output(): string {
    return join(this.path, "output.log");
  }

  /** All files of it, in no order of time. */
  get outputs(): string[] {
    const name = basename(this.output);
    const numbered = readdirSync(this.path).filter((file) => file.startsWith(`${name}.`));
    return [name, ...numbered].map((file) => join(this.path, file));
  }

  /** The signal that ends the container of that name; undefined where none is known. */
  static stopSignal(id: string): number | undefined {
    return ownerOf(join(BUNDLES, id))?.stopSignal;
  }

  /** Notes the signal that ends its container. */
  stopBy(stopSignal: number): void {
    const owner = ownerOf(this.path);
    if (owner !== undefined) writeOwner(this.path, { ...owner, stopSignal });
  }

  /** From now on it outlives this process. */
  detach(): void {
    const owner = ownerOf(this.path);
    if (owner !== undefined) writeOwner(this.path, { ...owner, detached: true });
    this.#kept = true;
  }

  /** Removes it with its network, unless it was detached by this process. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#kept) await removeBundle(this.path);
  }
}
