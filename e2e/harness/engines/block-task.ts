import { createReadStream, createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { type EditableSpec, makeBundle } from "../bundle.ts";
import { busyboxRootfs } from "../images.ts";
import { BareShim } from "./bare-shim.ts";

/** What a task answers to a line, by its fifos. */
export type Ask = (line: string) => Promise<string>;

/** Tasks of our shim without a containerd, with the root file system of a block device, as a snapshotter of such gives it. */
export class BlockTasks implements AsyncDisposable {
  readonly directory: string = mkdtempSync("/tmp/e2e-block-task-");
  readonly #options: object;
  readonly #cleanUp: AsyncDisposableStack = new AsyncDisposableStack();
  #device = "";

  private constructor(toml: string) {
    this.#cleanUp.defer(() => {
      rmSync(this.directory, { recursive: true, force: true });
    });
    const config = join(this.directory, "configuration.toml");
    writeFileSync(config, toml);
    this.#options = BareShim.any("runtimeoptions.v1.Options", { config_path: config });
  }

  /** @param toml configuration.toml */
  static async create(toml: string): Promise<BlockTasks> {
    const tasks = new BlockTasks(toml);
    const disk = join(tasks.directory, "root.ext4");
    await execa("mke2fs", ["-q", "-t", "ext4", "-d", await busyboxRootfs(), disk, "64m"]);
    const { stdout } = await execa("losetup", ["--find", "--show", disk]);
    tasks.#device = stdout;
    tasks.#cleanUp.defer(async () => {
      await execa("losetup", ["--detach", stdout]);
    });
    return tasks;
  }

  /** Makes a task in a process of its own. @param fields of the call, beside the usual ones */
  async make(
    id: string,
    args: readonly string[],
    { edit, ...fields }: { readonly edit?: (spec: EditableSpec) => void; readonly checkpoint?: string } = {},
  ): Promise<{ readonly shim: BareShim; readonly ask: Ask }> {
    const path = join(this.directory, id);
    const writable = (spec: EditableSpec): void => {
      spec.root.readonly = false;
      edit?.(spec);
    };
    const { path: bundle, rootfs: copy } = await makeBundle(path, { args, edit: writable });
    rmSync(copy, { recursive: true });
    mkdirSync(copy);
    const [stdin, stdout] = [join(path, "stdin"), join(path, "stdout")];
    await execa("mkfifo", [stdin, stdout]);
    const shim = BareShim.connect(await BareShim.start(id, bundle));
    this.#cleanUp.defer(async () => {
      shim[Symbol.dispose]();
      await BareShim.remove(id, bundle);
    });
    const rootfs = [{ type: "ext4", source: this.#device, options: ["rw"] }];
    try {
      await shim.task("Create", { id, bundle, rootfs, stdin, stdout, options: this.#options, ...fields });
    } catch (error) {
      await shim.task("Shutdown", { id }, false);
      throw error;
    }
    return { shim, ask: asking(stdin, stdout) };
  }

  /** Ends a task that has exited, and its process. */
  async end(id: string, shim: BareShim): Promise<void> {
    await shim.task("Delete", { id });
    await shim.task("Shutdown", { id }, false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanUp.disposeAsync();
  }
}

function asking(stdin: string, stdout: string): Ask {
  const input = createWriteStream(stdin);
  const lines = createInterface(createReadStream(stdout))[Symbol.asyncIterator]();
  return async (line) => {
    input.write(`${line}\n`);
    const answer = await lines.next();
    if (answer.done === true) throw new Error("the process has ended");
    return answer.value;
  };
}
