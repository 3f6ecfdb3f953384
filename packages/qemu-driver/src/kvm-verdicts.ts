import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { release, version } from "node:os";
import { dirname } from "node:path";
import { bootId, randomUuid, readOwnFile } from "@kata-ts/linux";
import type { AcceleratorChoice } from "./accelerator-choice.ts";

interface Verdict extends AcceleratorChoice {
  /** When it was found, ISO 8601. */
  readonly found: string;
  /** The host's boot that it was found in. */
  readonly boot: string;
}

interface Subject {
  readonly qemuPath: string;
  readonly kernelPath: string;
  readonly cacheFile?: string;
}

/** More than a host has of QEMUs and guest kernels at a time. */
const MAX_VERDICTS = 16;

/**
 * What was found out about KVM, per kernel of the host, QEMU and kernel of the guest. That it works holds until a guest
 * proves the contrary; that it does not, only until the host boots again: firmware and modules may be set otherwise then.
 */
export class KvmVerdicts {
  readonly #file: string | undefined;
  readonly #key: string;

  constructor({ cacheFile, qemuPath, kernelPath }: Subject) {
    this.#file = cacheFile;
    this.#key = keyOf([qemuPath, kernelPath]);
  }

  async find(): Promise<AcceleratorChoice | undefined> {
    const verdict = (await this.#read())[this.#key];
    if (verdict === undefined) return undefined;
    const { accelerator, reason, found, boot } = verdict;
    return accelerator === "kvm" || boot === bootId() ? { accelerator, reason, found } : undefined;
  }

  async remember({ accelerator, reason }: AcceleratorChoice): Promise<void> {
    const verdict = { accelerator, reason, found: new Date().toISOString(), boot: bootId() };
    await this.#write((others) => ({ ...others, [this.#key]: verdict }));
  }

  async forget(): Promise<void> {
    await this.#write((others) => others);
  }

  /** A file that cannot be written costs a trial each time, and fails no caller. */
  async #write(change: (others: Record<string, Verdict>) => Record<string, Verdict>): Promise<void> {
    if (this.#file === undefined) return;
    const others = Object.entries(await this.#read()).filter(([key]) => key !== this.#key);
    const kept = Object.entries(change(Object.fromEntries(others))).slice(-MAX_VERDICTS);
    const unfinished = `${this.#file}.${randomUuid()}`;
    try {
      const directory = dirname(this.#file);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      // A name that is not to be foreseen, and must not be there: nothing that another user has put there is written through.
      await writeFile(unfinished, `${JSON.stringify(Object.fromEntries(kept))}\n`, { mode: 0o600, flag: "wx" });
      await rename(unfinished, this.#file);
    } catch {
      await rm(unfinished, { force: true }).catch(() => undefined);
    }
  }

  async #read(): Promise<Record<string, Verdict>> {
    if (this.#file === undefined) return {};
    try {
      const content: unknown = JSON.parse(readOwnFile(this.#file));
      return Object.fromEntries(Object.entries(content ?? {}).filter(isVerdictEntry));
    } catch {
      return {};
    }
  }
}

function isVerdictEntry(entry: [string, unknown]): entry is [string, Verdict] {
  const { accelerator, reason, found, boot } = (entry[1] ?? {}) as Partial<Record<keyof Verdict, unknown>>;
  const isAccelerator = accelerator === "kvm" || accelerator === "tcg";
  return isAccelerator && [reason, found, boot].every((each) => typeof each === "string");
}

// The programs count by file identity: an upgrade of either asks anew, and so does another kernel of the host.
function keyOf(paths: readonly string[]): string {
  const hash = createHash("sha256").update(`${release()}\0${version()}\0`);
  for (const path of paths) {
    const { ino, size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { ino: 0, size: 0, mtimeMs: 0 };
    hash.update(`${path}\0${String(ino)}\0${String(size)}\0${String(mtimeMs)}\0`);
  }
  return hash.digest("hex").slice(0, 32);
}
