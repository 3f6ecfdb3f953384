import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnTied, type TiedProcess } from "@kata-ts/linux";
import { QmpClient } from "@kata-ts/qemu-driver";
import { makeLabDirectory } from "./lab-directory.ts";
import { labQemu } from "./lab-qemu.ts";
import { DISK_PORT, LAB_PORTS, type MachineOptions, machineArgv, monitorOf, socketOf } from "./machine.ts";
import { migration } from "./migration.ts";
import { runScript, type ScriptResult } from "./script-port.ts";

const BOOT_MS = 600_000;
const SCRIPT_MS = 2_400_000;
const POLL_MS = 50;
const CONSOLE_TAIL = 8192;
const [MAIN_PORT = "", SIDE_PORT = ""] = LAB_PORTS;

/**
 * A host in a virtual machine. It ends with the scope, and with this process, however that dies; what it wrote to its
 * disk goes with it.
 *
 * @example
 * await using host = await resumeHost("bookworm");
 * await host.ok("uname -r");
 */
export class LabHost implements AsyncDisposable {
  readonly directory: string;
  /** Undefined for a host that another process has started, and ends. */
  readonly #qemu: TiedProcess | undefined;

  private constructor(directory: string, qemu?: TiedProcess) {
    this.directory = directory;
    this.#qemu = qemu;
  }

  /** Boots a host, and waits until it takes scripts. */
  static async boot(options: Omit<MachineOptions, "directory" | "incoming">): Promise<LabHost> {
    const host = await LabHost.#start(options);
    return host.#orEnd(async () => {
      await using _listening = await host.#monitor();
      await host.ok("systemctl is-system-running --wait || true", BOOT_MS);
    });
  }

  /** Goes on where a host was saved. */
  static async resume(options: Omit<MachineOptions, "directory" | "incoming">, stateFile: string): Promise<LabHost> {
    const host = await LabHost.#start({ ...options, incoming: true });
    return host.#orEnd(async () => {
      await using qmp = await host.#monitor();
      await migration(qmp, "migrate-incoming", `exec:zstd -dc '${stateFile}'`);
      await qmp.execute("cont");
      await host.ok(`date -s @${String(Math.floor(Date.now() / 1000))} >/dev/null`);
    });
  }

  /** A host that another process has up. */
  static join(directory: string): LabHost {
    return new LabHost(directory);
  }

  static async #start(options: Omit<MachineOptions, "directory">): Promise<LabHost> {
    const { program, args } = await labQemu();
    const directory = await makeLabDirectory();
    const argv = [...args, ...machineArgv({ ...options, directory })];
    const log = openSync(join(directory, "qemu.log"), "w");
    try {
      return new LabHost(directory, spawnTied(program, argv, ["ignore", log, log]));
    } catch (error) {
      rmSync(directory, { recursive: true });
      throw error;
    } finally {
      closeSync(log);
    }
  }

  /** Runs a shell script as root; a failing one does not reject. */
  async run(script: string, timeoutMs: number = SCRIPT_MS): Promise<ScriptResult> {
    return runScript(socketOf(this.directory, MAIN_PORT), script, timeoutMs);
  }

  /** As run, for a script that has to succeed; returns its output. */
  async ok(script: string, timeoutMs?: number): Promise<string> {
    const { status, output } = await this.run(script, timeoutMs);
    if (status !== 0) throw new Error(`status ${String(status)} of: ${script}\n${output}`);
    return output;
  }

  /** Plugs a read-only disk with an ext4 file system, and mounts it. */
  async mountDisk(file: string, name: string, mountPoint: string): Promise<void> {
    await using qmp = await this.#monitor();
    const node = { driver: "raw", "node-name": name, "read-only": true };
    await qmp.execute("blockdev-add", { ...node, file: { driver: "file", filename: file, "read-only": true } });
    await qmp.execute("device_add", { driver: "virtio-blk-pci", id: name, drive: name, serial: name, bus: DISK_PORT });
    const device = `/dev/disk/by-id/virtio-${name}`;
    await this.ok(
      `udevadm wait --timeout=60 ${device} && mkdir -p ${mountPoint} && mount -o ro ${device} ${mountPoint}`,
    );
  }

  /** Stops the host for good, and writes its memory and devices to a file. */
  async save(stateFile: string): Promise<void> {
    await this.ok("sync; echo 3 >/proc/sys/vm/drop_caches; fstrim /; sync");
    await using qmp = await this.#monitor();
    await qmp.execute("stop");
    await qmp.execute("migrate-set-parameters", { "max-bandwidth": 2 ** 40 });
    await migration(qmp, "migrate", `exec:zstd -q -1 -T0 >'${stateFile}'`);
  }

  /** What is known of a failure: the host's journal, the consoles of it and of its guests. */
  async leaveEvidence(directory: string): Promise<void> {
    mkdirSync(directory, { recursive: true });
    for (const name of ["console.log", "qemu.log"]) {
      writeFileSync(join(directory, `host-${name}`), readFileSync(join(this.directory, name)));
    }
    for (const [name, script] of Object.entries(EVIDENCE)) {
      const found = await runScript(socketOf(this.directory, SIDE_PORT), script, 60_000).catch((error: unknown) => ({
        output: String(error),
      }));
      writeFileSync(join(directory, name), found.output);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#qemu === undefined) return;
    this.#qemu.child.kill("SIGKILL");
    await this.#qemu.exited;
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #orEnd(body: () => Promise<unknown>): Promise<this> {
    const ended = this.#qemu?.exited.then(() => {
      throw new Error(`the laboratory's QEMU has ended: ${readFileSync(join(this.directory, "qemu.log"), "utf8")}`);
    });
    try {
      await Promise.race(ended === undefined ? [body()] : [body(), ended]);
      return this;
    } catch (error) {
      const log = join(this.directory, "console.log");
      const console = existsSync(log) ? readFileSync(log, "utf8").slice(-CONSOLE_TAIL) : "";
      await this[Symbol.asyncDispose]();
      throw new Error(`${(error as Error).message}\n--- the host's console\n${console}`, { cause: error });
    }
  }

  /** QEMU makes the socket some time after it was started. */
  async #monitor(): Promise<QmpClient> {
    for (let left = 200; ; left -= 1) {
      try {
        return await QmpClient.connect(monitorOf(this.directory));
      } catch (error) {
        if (left === 0) throw error;
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    }
  }
}

const EVIDENCE: Readonly<Record<string, string>> = {
  "journal.log": "journalctl -b --no-pager -n 5000",
  "guests.log": 'for each in /run/kata-ts/vm/*/console.log; do echo "== $each"; tail -c 65536 "$each"; done',
  "state.log": "ps -ef --forest; cat /proc/self/mountinfo; systemd-cgls --no-pager; ls -l /run/kata-ts/*",
};
