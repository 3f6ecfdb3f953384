import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { identifyProcess } from "@kata-ts/linux";
import { KataError, parseContainerId } from "@kata-ts/virtcontainers/records";
import { claimName } from "./claimed-name.ts";
import { bundlesDirectory } from "./data-directory.ts";
import { giveBack } from "./give-back.ts";
import {
  type BundleOwner,
  leftBundles,
  ownerOf,
  removeBundle,
  sweepBundles,
  type Warn,
  writeOwner,
} from "./leftovers.ts";

/** A bundle that lives as long as a `kata run`. One whose process was killed is removed by the next. */
export class FrontBundle implements AsyncDisposable {
  readonly path: string;
  readonly #warn: Warn | undefined;
  #kept = false;

  private constructor(path: string, warn?: Warn) {
    this.path = path;
    this.#warn = warn;
  }

  /** @param root where containers are recorded; @param warn also about what cannot be removed at its end; @throws KataError KATA_ID_INVALID, KATA_ID_IN_USE */
  static async create(id: string, root: string, warn: Warn): Promise<FrontBundle> {
    const bundles = bundlesDirectory();
    const path = join(bundles, parseContainerId(id));
    mkdirSync(bundles, { recursive: true, mode: 0o711 });
    await sweepFrontBundles(root, warn);
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      throw new KataError("KATA_ID_IN_USE", `${id} runs already`, { cause: error });
    }
    try {
      await claimName(path);
    } catch (error) {
      rmdirSync(path);
      throw error;
    }
    const owner: BundleOwner = { creator: identifyProcess(process.pid), root: resolve(root) };
    writeOwner(path, owner);
    return new FrontBundle(path, warn);
  }

  /** The bundle of a detached container; undefined where the process that started the container waits for it. */
  static detached(id: string): FrontBundle | undefined {
    const path = join(bundlesDirectory(), id);
    return ownerOf(path)?.detached === true ? new FrontBundle(path) : undefined;
  }

  /** The output of a detached container. */
  get output(): string {
    return join(this.path, "output.log");
  }

  /** All files of it, in the order in which they are written in turn. */
  get outputs(): string[] {
    const name = basename(this.output);
    const numbers = readdirSync(this.path)
      .filter((file) => file.startsWith(`${name}.`))
      .map((file) => Number(file.slice(name.length + 1)))
      .filter((number) => Number.isInteger(number));
    return [name, ...numbers.sort((a, b) => a - b).map((number) => `${name}.${String(number)}`)].map((file) =>
      join(this.path, file),
    );
  }

  /** The image of the container of that name; undefined where it has none, or is not of `kata`. */
  static imageOf(id: string): BundleOwner["image"] {
    return ownerOf(join(bundlesDirectory(), id))?.image;
  }

  /** Where the container of that name has its bundle, if it is of `kata`. */
  static pathOf(id: string): string {
    return join(bundlesDirectory(), id);
  }

  /** The signal that ends the container of that name; undefined where none is known. */
  static stopSignal(id: string): number | undefined {
    return ownerOf(join(bundlesDirectory(), id))?.stopSignal;
  }

  /** Notes the signal that ends its container. */
  stopBy(stopSignal: number): void {
    this.#note({ stopSignal });
  }

  /** Notes the image that its root file system is of. */
  use(image: NonNullable<BundleOwner["image"]>): void {
    this.#note({ image });
  }

  /** Notes a volume of its container. */
  useVolume(name: string): void {
    this.#note({ volumes: [...(ownerOf(this.path)?.volumes ?? []), name] });
  }

  /** From now on it outlives this process. */
  detach(): void {
    this.#note({ detached: true });
    this.#kept = true;
  }

  #note(more: Partial<BundleOwner>): void {
    const owner = ownerOf(this.path);
    if (owner !== undefined) writeOwner(this.path, { ...owner, ...more });
  }

  /** Removes it with its network, unless it was detached by this process. Of one that was made here a failure is warned about. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#kept) return;
    const remove = (): Promise<void> => removeBundle(this.path);
    await (this.#warn === undefined ? remove() : giveBack(this.path, remove, this.#warn));
  }
}

/** Removes the bundles that killed runs have left. @param root where containers are recorded */
export async function sweepFrontBundles(root: string, warn: Warn): Promise<void> {
  await sweepBundles(bundlesDirectory(), resolve(root), warn);
}

/** Those that sweepFrontBundles would remove. */
export function leftFrontBundles(root: string, warn: Warn): Promise<string[]> {
  return leftBundles(bundlesDirectory(), resolve(root), warn);
}
