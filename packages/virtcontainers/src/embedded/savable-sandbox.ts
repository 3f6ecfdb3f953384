import { KataError } from "../errors.ts";
import type { Ports } from "../ports/ports.ts";
import { openSnapshot } from "../sandbox/restore.ts";
import type { OpenSnapshot } from "../snapshot/open-snapshot.ts";
import { DetachableSandbox } from "./detachable-sandbox.ts";
import { fork } from "./fork.ts";
import type { CopyOptions, ForkOptions } from "./fork-options.ts";
import { endedByLimit, type LimitOptions } from "./limit.ts";
import { checkOptions, limitShape } from "./process-shape.ts";
import type { KeptOptions } from "./sandbox-options.ts";
import type { Snapshot, SnapshotOptions, SuspendedSandbox } from "./snapshot.ts";
import { copyCount, forkShape, snapshotShape } from "./snapshot-shape.ts";
import { traced } from "./tracing.ts";

/** What of a sandbox is about saving it, and going on with it: `T` is what it is gone on with as. */
export abstract class SavableSandbox<T extends AsyncDisposable> extends DetachableSandbox implements AsyncDisposable {
  abstract [Symbol.asyncDispose](): Promise<void>;
  /** What copies have of its options, too, and the ports that they are made through. */
  protected abstract readonly kept: { readonly options: KeptOptions; readonly ports: Ports };
  /** Its memory is that of a file which others have, too, but for what it has written to. */
  protected abstract readonly isMapped: boolean;
  protected abstract save(directory: string, options: SnapshotOptions): Promise<Snapshot>;
  protected abstract copy(snapshot: OpenSnapshot, options: CopyOptions): Promise<T>;

  /**
   * Saves the sandbox to a directory: what its processes are in the middle of, the guest's memory, and its disks. It stands still
   * meanwhile. An earlier snapshot in the directory is replaced once the new one is whole. Needs `sharedFs: "none"`, or `savable`. Its network cards
   * are taken out for it, and given back; its connections go on.
   *
   * @throws KataError KATA_SNAPSHOT, KATA_STATE, KATA_UNSUPPORTED: the sandbox goes on, and an earlier snapshot is still there
   */
  async snapshot(directory: string, options: SnapshotOptions = {}): Promise<Snapshot> {
    checkOptions(snapshotShape, options, "snapshot");
    if (this.isMapped) {
      // QEMU leaves out of the state only memory that is a file's and nothing else.
      throw new KataError(
        "KATA_UNSUPPORTED",
        `sandbox ${this.id} is a copy whose memory is mapped: it cannot be saved`,
        {
          hint: "copies can be made of it by fork; a snapshot is taken of the sandbox that was copied",
        },
      );
    }
    const save = (): Promise<Snapshot> => this.save(directory, options);
    const snapshot = await this.during(() => traced({ name: "sandbox.snapshot", sandboxId: this.id }, save));
    if (options.leaveRunning === false) await this[Symbol.asyncDispose]();
    return snapshot;
  }

  /**
   * Makes copies of the sandbox as it is, which run side by side with it, each with its own id, disks, network and random numbers. What they do
   * not write to of the guest's memory they have in common. Needs what `snapshot` needs.
   *
   * @param count of the copies
   * @returns them, in the order of `ids`; @throws as `snapshot` and `restore`: no copy is left then
   */
  async fork(count: number, options: ForkOptions = {}): Promise<T[]> {
    checkOptions(copyCount, count, "fork");
    checkOptions(forkShape, options, "fork");
    const forked = {
      ...this.kept,
      save: (directory: string, how: SnapshotOptions) => this.save(directory, how),
      copy: (snapshot: OpenSnapshot, own: CopyOptions) => this.copy(snapshot, own),
    };
    const copy = (): Promise<T[]> => fork(count, options, forked);
    return this.during(() => traced({ name: "sandbox.fork", sandboxId: this.id }, copy));
  }

  /**
   * Saves the sandbox to a directory, and ends it: its memory is the host's again. It is gone on with by `resume`, or by `restore`.
   *
   * @throws KataError as `snapshot`: the sandbox goes on
   */
  async suspend(directory: string, options: Omit<SnapshotOptions, "leaveRunning"> = {}): Promise<SuspendedSandbox<T>> {
    const { id, ports } = this;
    const { options: kept, ports: operations } = this.kept;
    const snapshot = await this.snapshot(directory, { ...options, leaveRunning: false });
    const again = { ...kept, id, ...(ports.length === 0 ? {} : { ports }) };
    const goOn = async (signal: AbortSignal): Promise<T> => {
      using saved = await openSnapshot(directory, operations, signal);
      return await this.copy(saved, { ...again, signal });
    };
    const resume = async (limits: LimitOptions = {}): Promise<T> => {
      checkOptions(limitShape, limits, "resume");
      return await endedByLimit(`the resumption of sandbox ${id}`, limits, goOn);
    };
    return { ...snapshot, resume };
  }
}
