import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import type { EditableSpec } from "./bundle.ts";
import { busyboxRootfs, pythonRootfs } from "./images.ts";
import { Kata } from "./kata.ts";
import { IDLE } from "./pods.ts";

const SAVABLE = '[hypervisor.qemu]\nshared_fs = "none"\ndisable_block_device_use = false\ndefault_memory = 512\n';

/** Keeps what it was asked in a list of Python's, and answers each line with the list. SIGTERM ends it. */
const PYTHON = `
import os, signal
asked = []
def bye(*_): print("bye after", len(asked), flush=True); os._exit(7)
signal.signal(signal.SIGTERM, bye)
os.mkfifo("/in"), os.mkfifo("/out")
while True:
    with open("/in") as lines: line = lines.read().strip()
    asked.append(line)
    with open("/out", "w") as answers: answers.write(" ".join(asked))
`;

/** Where WEB_SERVER listens, on all addresses. */
export const WEB_PORT = 8000;

/** Goes into the usual program: a web server whose page is what was asked until then. */
const WEB_SERVER = `
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        page = " ".join(asked).encode()
        self.send_response(200), self.send_header("Content-Length", str(len(page))), self.end_headers()
        self.wfile.write(page)
server = ThreadingHTTPServer(("", ${String(WEB_PORT)}), Pages)
threading.Thread(target=server.serve_forever, daemon=True).start()
`;

interface WrittenSpec {
  readonly linux: { readonly namespaces: { readonly type: string; path?: string }[] };
  annotations?: Record<string, string>;
}

export interface SavableOptions {
  /** Of the disk, as mke2fs takes it. */
  readonly size: string;
  /** Random bytes in a file of the disk. */
  readonly extraBytes?: number;
  /** Sections of configuration.toml. */
  readonly toml?: string;
  /** Whether it serves what it was asked at WEB_PORT, too. */
  readonly web?: boolean;
  /** Its process is a shell of busybox on a terminal instead, with nothing to be asked by `ask`. */
  readonly terminal?: boolean;
}

/** A container whose root file system is a loop device's, and what its process answers to a line. */
export class SavableContainer implements AsyncDisposable {
  readonly kata: Kata;
  readonly images: string;
  bundle = "";
  readonly #devices: { readonly device: string; readonly rootfs: string }[] = [];

  private constructor(toml: string) {
    this.kata = Kata.configured(`${SAVABLE}${toml}`);
    this.images = join(this.kata.directory, "images");
  }

  static async create({ toml = "", ...options }: SavableOptions): Promise<SavableContainer> {
    const container = new SavableContainer(toml);
    await container.#make(options);
    return container;
  }

  async #make({ size, extraBytes = 0, web = false, terminal = false }: Omit<SavableOptions, "toml">): Promise<void> {
    const { kata } = this;
    const source = join(kata.directory, "source");
    await execa("cp", ["-a", await (terminal ? busyboxRootfs() : pythonRootfs()), source]);
    if (extraBytes > 0) writeFileSync(join(source, "large"), randomBytes(extraBytes));
    const disk = join(kata.directory, "root.ext4");
    await execa("mke2fs", ["-q", "-t", "ext4", "-d", source, disk, size]);
    rmSync(source, { recursive: true });
    const program = web ? PYTHON.replace("while True", `${WEB_SERVER}while True`) : PYTHON;
    this.bundle = terminal
      ? await this.#bundle(disk, ["sh"], (spec) => {
          spec.process.terminal = true;
        })
      : await this.#bundle(disk, ["python3", "-c", program]);
  }

  async #bundle(disk: string, args: readonly string[], edit?: (spec: EditableSpec) => void): Promise<string> {
    const { stdout: device } = await execa("losetup", ["--find", "--show", disk]);
    const { path, rootfs } = await this.kata.bundle({
      args,
      edit: (spec) => {
        spec.root.readonly = false;
        edit?.(spec);
      },
    });
    this.#devices.push({ device, rootfs });
    rmSync(rootfs, { recursive: true });
    mkdirSync(rootfs);
    await execa("mount", [device, rootfs]);
    return path;
  }

  /** Runs it, and asks it for the first time. @returns its id */
  async started(): Promise<string> {
    const id = this.kata.id();
    await this.kata.create(id, this.bundle);
    await this.kata.ok(["start", id]);
    expect(await this.ask(id, "one")).toBe("one");
    return id;
  }

  /** Another bundle, with a root file system of busybox on a device of its own. */
  async another(annotations: Readonly<Record<string, string>>): Promise<{ readonly bundle: string }> {
    const { kata } = this;
    const disk = join(kata.directory, `disk${String(this.#devices.length)}.ext4`);
    await execa("mke2fs", ["-q", "-t", "ext4", "-d", await busyboxRootfs(), disk, "64m"]);
    const annotate = (spec: EditableSpec): void => {
      spec.annotations = { ...annotations };
    };
    return { bundle: await this.#bundle(disk, IDLE, annotate) };
  }

  /** The network namespace of what is made of the bundle from now on. */
  setNetwork(path: string): void {
    this.#editSpec(({ linux }) => {
      for (const namespace of linux.namespaces) if (namespace.type === "network") namespace.path = path;
    });
  }

  /** The annotations of what is made of the bundle from now on. */
  annotate(annotations: Readonly<Record<string, string>>): void {
    this.#editSpec((spec) => {
      spec.annotations = { ...annotations };
    });
  }

  #editSpec(edit: (spec: WrittenSpec) => void): void {
    const file = join(this.bundle, "config.json");
    const spec = JSON.parse(readFileSync(file, "utf8")) as WrittenSpec;
    edit(spec);
    writeFileSync(file, JSON.stringify(spec));
  }

  /** What configuration.toml says in its section of QEMU beside the usual, from now on. */
  configure(options: string): void {
    this.kata.file("configuration.toml", `${SAVABLE}${options}`);
  }

  async ask(id: string, line: string): Promise<string> {
    const script = `until test -p /out; do :; done; echo ${line} > /in; cat /out`;
    return this.kata.ok(["exec", id, "sh", "-c", script]);
  }

  restore(id: string): string[] {
    return ["restore", "--bundle", this.bundle, "--image-path", this.images, id];
  }

  /** With streams that are not read. */
  async restoreDetached(id: string): Promise<void> {
    const log = join(this.kata.directory, `${id}.log`);
    const args = ["--log", log, ...this.restore(id), "--detach"];
    const { exitCode } = await this.kata.run(args, { detachedStreams: true });
    if (exitCode !== 0) throw new Error(`restore ${id}: ${readFileSync(log, "utf8")}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { rootfs } of this.#devices) await execa("umount", [rootfs], { reject: false });
    await this.kata[Symbol.asyncDispose]();
    for (const { device } of this.#devices) await execa("losetup", ["--detach", device]);
  }
}
