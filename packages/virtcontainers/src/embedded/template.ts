import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { connectAgent } from "@kata-ts/agent-protocol";
import { buildTemplate } from "../template/build-template.ts";
import type { Factory } from "../template/clone.ts";
import { Templates } from "../template/templates.ts";
import { UndoStack } from "../undo.ts";
import type { QemuConfig } from "../vmm-qemu/qemu-config.ts";
import { QemuVmm } from "../vmm-qemu/qemu-vmm.ts";
import { machineOf } from "./machine-of.ts";
import { makeTemplateDirectory } from "./template-directory.ts";
import type { VmOptions } from "./vm-options.ts";

export interface TemplateOptions {
  readonly vm?: VmOptions;
  /** Milliseconds that the guest may take to boot; 60 000 by default. */
  readonly bootDeadlineMs?: number;
  readonly signal?: AbortSignal;
}

const BOOT_DEADLINE_MS = 60_000;

/**
 * A guest that was booted and warmed up once, for sandboxes that are cloned from it. It is a directory of some 150 MiB
 * below the system's one for temporary files, which goes with the scope, or with the next template where this process was
 * killed; clones outlive it.
 *
 * @example
 * await using template = await Template.create();
 * await using sandbox = await Sandbox.create({ from: template });
 */
export class Template implements AsyncDisposable {
  /** The machine that every clone is. */
  readonly vm: QemuConfig;
  readonly #templates: Templates;

  private constructor(vm: QemuConfig, templates: Templates) {
    this.vm = vm;
    this.#templates = templates;
  }

  /** @throws KataError KATA_CONFIG, KATA_GUEST, KATA_BOOT, KATA_AGENT; nothing is left then */
  static async create(options: TemplateOptions = {}): Promise<Template> {
    const { vm, bootDeadlineMs = BOOT_DEADLINE_MS, signal } = options;
    const config = await machineOf(vm, signal);
    await using undo = new UndoStack();
    const directory = await makeTemplateDirectory(tmpdir());
    undo.push(() => rm(directory, { recursive: true, force: true }));
    const templates = new Templates(directory);
    const limits = { deadlineMs: bootDeadlineMs, signal };
    await buildTemplate({ vmm: new QemuVmm(config), templates, connectAgent, ...limits });
    undo.keep();
    return new Template(config, templates);
  }

  /** What a hypervisor clones from. @param warn told when a sandbox had to be booted after all */
  factory(warn: (message: string) => void): Factory {
    return { templates: this.#templates, connectAgent, warn };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#templates.directory, { recursive: true, force: true });
  }
}
