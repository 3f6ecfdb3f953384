import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import { AgentRpcError } from "@kata-ts/agent-protocol";
import { invalidArgument } from "../errors.ts";

/** The `/dev` of a root file system, as it is before a container is made of it. */
export class RootDev {
  readonly #path: string;
  readonly #before: string;

  /**
   * crun before 1.28 follows an image's `/dev` out of the container, and makes devices and links where it leads in the guest's own
   * tree (CVE-2026-47766).
   *
   * @param root the root file system, as the guest has it
   * @throws AgentRpcError INVALID_ARGUMENT where `/dev` is a link
   */
  constructor(root: string) {
    this.#path = join(root, "dev");
    const stats = lstatSync(this.#path, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() === true)
      throw invalidArgument(
        `/dev of the root file system is a symbolic link to "${readlinkSync(this.#path)}"; it has to be a directory`,
      );
    this.#before = named(stats);
  }

  /**
   * What is mounted at a directory of a shared file system goes when the kernel finds another directory of that name, or none: on the
   * host, or by its file daemon. Where a container fails at a device, the error says what `/dev` was, and is.
   */
  explain(error: unknown): unknown {
    if (!(error instanceof AgentRpcError) || !error.message.includes("/dev/")) return error;
    const message = `${error.message} (/dev of its root file system was ${this.#before}, and is ${this.#now()})`;
    return new AgentRpcError(error.status, message, { cause: error });
  }

  #now(): string {
    try {
      const stats = lstatSync(this.#path, { throwIfNoEntry: false });
      const count = stats?.isDirectory() === true ? `, with ${String(readdirSync(this.#path).length)} entries` : "";
      return `${named(stats)}${count}`;
    } catch (error) {
      return (error as Error).message;
    }
  }
}

function named(stats: Stats | undefined): string {
  if (stats === undefined) return "missing";
  return `${stats.isDirectory() ? "directory" : "no directory:"} ${String(stats.ino)} of device ${String(stats.dev)}`;
}
