import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, read, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { mount, unmountInThread } from "@kata-ts/linux";

const readRequest = promisify(read);

/** Numbers of the kernel's include/uapi/linux/fuse.h. */
const Opcode = { lookup: 1, forget: 2, getattr: 3, init: 26, batchForget: 42 } as const;
const ROOT = 1n;
const DIRECTORY = 0o040_755;
const ATTRIBUTES = 88;
const ENOSYS = 38;
/** A process whose loop waits for its own answer is helped out of it, so that its test can fail. */
const RESCUE_S = 10;

/**
 * A file system that is served by this process's event loop, and in which each name is a directory. A system call on a path in it
 * returns only where the loop goes on meanwhile.
 */
export class ServedDirectory implements AsyncDisposable {
  readonly path: string;
  readonly #device: number;
  readonly #rescuer: ChildProcess;
  readonly #served: Promise<void>;

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), "served-"));
    this.#device = openSync("/dev/fuse", "r+");
    const options = `fd=${String(this.#device)},rootmode=40000,user_id=0,group_id=0`;
    mount("served", this.path, "fuse", 0, options);
    const rescue = `read -r -t ${String(RESCUE_S)} _ || umount -f "$0"`;
    this.#rescuer = spawn("bash", ["-c", rescue, this.path], { stdio: ["pipe", "ignore", "ignore"] });
    this.#served = this.#serve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rescuer.kill("SIGKILL");
    await unmountInThread(this.path);
    await this.#served;
    closeSync(this.#device);
    rmSync(this.path, { recursive: true });
  }

  async #serve(): Promise<void> {
    const buffer = Buffer.alloc(256 * 1024);
    try {
      for (;;) {
        await readRequest(this.#device, buffer, 0, buffer.length, null);
        const answer = answerTo(buffer);
        if (answer !== undefined) writeSync(this.#device, answer);
      }
    } catch {
      // It is unmounted.
    }
  }
}

/** @param request struct fuse_in_header: length, opcode, unique, node, … */
function answerTo(request: Buffer): Buffer | undefined {
  const unique = request.readBigUInt64LE(8);
  const node = request.readBigUInt64LE(16);
  switch (request.readUInt32LE(4)) {
    case Opcode.init: {
      const init = Buffer.alloc(64);
      init.writeUInt32LE(7, 0);
      init.writeUInt32LE(31, 4);
      return reply(unique, init);
    }
    case Opcode.lookup:
      return reply(unique, Buffer.concat([entryOf(node + 1n), attributesOf(node + 1n)]));
    case Opcode.getattr:
      return reply(unique, Buffer.concat([Buffer.alloc(16), attributesOf(node)]));
    case Opcode.forget:
    case Opcode.batchForget:
      return undefined;
    default:
      return reply(unique, Buffer.alloc(0), -ENOSYS);
  }
}

/** struct fuse_entry_out without its attributes: the node, and that nothing is valid for longer than this answer. */
function entryOf(node: bigint): Buffer {
  const entry = Buffer.alloc(40);
  entry.writeBigUInt64LE(node, 0);
  return entry;
}

/** struct fuse_attr of a directory. */
function attributesOf(node: bigint): Buffer {
  const attributes = Buffer.alloc(ATTRIBUTES);
  attributes.writeBigUInt64LE(node, 0);
  attributes.writeUInt32LE(DIRECTORY, 60);
  attributes.writeUInt32LE(node === ROOT ? 3 : 2, 64);
  return attributes;
}

/** struct fuse_out_header, and what follows it. */
function reply(unique: bigint, body: Buffer, error = 0): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(header.length + body.length, 0);
  header.writeInt32LE(error, 4);
  header.writeBigUInt64LE(unique, 8);
  return Buffer.concat([header, body]);
}
