import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../../paths.ts";
import { baseRoot, engineSuite } from "./base-root.ts";

const ENTER = join(import.meta.dirname, "enter.sh");
const HOST_LIBRARIES = "/host/usr/lib/x86_64-linux-gnu";
const QEMU = "/opt/host-qemu/bin/qemu-system-x86_64";
const VIRTIOFSD = "/opt/host-qemu/virtiofsd";

/**
 * Where engines come from: this machine's own, or those of the suite of Debian that KATA_TEST_ENGINES names. A mount
 * namespace, kept by a process that sleeps in it; processes, networks, /run and /tmp are the machine's.
 */
export class EngineRoot implements AsyncDisposable {
  readonly #keeper: ChildProcess;
  readonly #directory: string | undefined;

  private constructor(keeper: ChildProcess, directory: string | undefined) {
    this.#keeper = keeper;
    this.#directory = directory;
  }

  static async open(): Promise<EngineRoot> {
    const suite = engineSuite();
    if (suite === undefined) return new EngineRoot(await keep([]), undefined);
    const directory = mkdtempSync("/var/tmp/e2e-engines-");
    const files = join(directory, "upper");
    mkdirSync(files);
    writeSettings(files);
    return new EngineRoot(await keep([await baseRoot(suite), directory, ROOT]), directory);
  }

  /** What nsenter has to be told to run a program in it. */
  get mount(): string {
    return `--mount=/proc/${String(this.#keeper.pid)}/ns/mnt`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#keeper, "exit");
    this.#keeper.kill("SIGKILL");
    await ended;
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function keep(args: readonly string[]): Promise<ChildProcess> {
  const keeper = spawn("unshare", ["--mount", "--propagation", "private", "sh", ENTER, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = await Promise.race([once(keeper.stdout, "data"), once(keeper, "exit")]);
  if (!String(said[0]).startsWith("ready")) throw new Error(`the engines' root cannot be entered: ${String(said[0])}`);
  return keeper;
}

/** A configuration.toml for runtimes that engines start, to which options of QEMU's section may be added. */
function engineConfiguration(): string {
  const section = "[hypervisor.qemu]\n";
  if (engineSuite() === undefined) return section;
  return `${section}path = "${QEMU}"\nvirtio_fs_daemon = "${VIRTIOFSD}"\naccel = "tcg"\nconfine_qemu = false\n`;
}

/** As engineConfiguration, for sandboxes that can be saved. */
export function savableConfiguration(): string {
  return `${engineConfiguration()}shared_fs = "none"\ndisable_block_device_use = false\ndefault_memory = 256\n`;
}

/**
 * The machine's own QEMU and virtiofsd, with their own libraries: what is tested there are the engines. Confined, QEMU would have a
 * root directory in which neither its libraries nor the shell that starts it so are.
 */
function writeSettings(files: string): void {
  const loader = `${HOST_LIBRARIES}/ld-linux-x86-64.so.2 --library-path ${HOST_LIBRARIES}:/host/lib/x86_64-linux-gnu`;
  const modules = `QEMU_MODULE_DIR=${HOST_LIBRARIES}/qemu`;
  const firmware = "-L /host/usr/share/qemu -L /host/usr/share/seabios";
  program(files, QEMU, `${modules} exec ${loader} /host/usr/bin/qemu-system-x86_64 ${firmware} "$@"`);
  program(files, VIRTIOFSD, `exec ${loader} /host/usr/lib/qemu/virtiofsd "$@"`);
  mkdirSync(join(files, "opt/host-qemu/share"));
  symlinkSync("/host/usr/share/qemu", join(files, "opt/host-qemu/share/qemu"));
  mkdirSync(join(files, "etc/kata-ts"), { recursive: true });
  writeFileSync(join(files, "etc/kata-ts/configuration.toml"), engineConfiguration());
}

function program(files: string, path: string, command: string): void {
  const file = join(files, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${command}\n`);
  chmodSync(file, 0o755);
}
