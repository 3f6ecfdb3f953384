import { closeSync, constants, ftruncateSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { identifyProcess, type ProcessIdentity } from "@kata-ts/linux";
import { anyObject, flag, listOf, object, optional, type Shape, text } from "@kata-ts/linux/shape";
import { VmFile, type VmProcesses } from "@kata-ts/proxy";
import { recordedCgroup } from "../cgroup/recorded.ts";
import { KataError } from "../errors.ts";
import type { RecordedCgroup } from "../ports/cgroups.ts";
import type { BootRequest } from "../ports/hypervisor.ts";
import { namedByRole } from "../store/migrated.ts";
import { processIdentity } from "../store/record-schema.ts";

const OWNER = "owner.json";

/** Who made a VM, and what for. */
export interface VmOwner {
  readonly owner?: string;
  /** Earlier releases have not written it. */
  readonly sandboxId?: string;
  readonly cgroup?: RecordedCgroup;
  /** The process that made it, or that it belongs to since. */
  readonly creator: ProcessIdentity;
  /** It was made to wait for a sandbox, and none has taken it. */
  readonly cached?: boolean;
  /** Vm.detach has let go of it, with these words for the next. */
  readonly detached?: string | undefined;
}

/** What the asker said of it. */
export type OwnedRequest = Pick<BootRequest, "owner" | "cgroup"> &
  Partial<Pick<BootRequest, "sandboxId">> &
  Pick<VmOwner, "cached">;

const owner = object<VmOwner>({
  owner: optional(text),
  sandboxId: optional(text),
  cgroup: optional(recordedCgroup),
  creator: processIdentity,
  cached: optional(flag),
  detached: optional(text),
});

const processes = object<VmProcesses>({
  processes: listOf(processIdentity),
  vmm: optional(processIdentity),
  agentUrl: optional(text),
});

/** Written before the VM exists, so that gc can decide whether a directory is still wanted. */
export async function writeOwner(vmDirectory: string, request: OwnedRequest): Promise<void> {
  const { owner, sandboxId, cgroup, cached } = request;
  const note = { owner, sandboxId, cgroup, cached, creator: identifyProcess(process.pid) };
  await writeFile(join(vmDirectory, OWNER), JSON.stringify(note), { mode: 0o600 });
}

/** A VM that was let go of belongs to this process from now on. */
export async function ownVm(vmDirectory: string): Promise<void> {
  const known = await requireOwner(vmDirectory);
  await replaceOwner(vmDirectory, { ...known, detached: undefined, creator: identifyProcess(process.pid) });
}

/** A VM belongs to no process, as soon as its supervisor is told so, too. */
export async function disownVm(vmDirectory: string, detached: string): Promise<void> {
  await replaceOwner(vmDirectory, { ...(await requireOwner(vmDirectory)), detached });
}

/**
 * Keeps room for what `disownVm` writes: where the file system is full, that is found out before anything was let go of.
 *
 * @param detached no shorter than what it is to be
 */
export async function reserveDisowning(vmDirectory: string, detached: string): Promise<void> {
  const known = await requireOwner(vmDirectory);
  try {
    writeNew(vmDirectory, { ...known, detached });
  } catch (error) {
    rmSync(newNote(vmDirectory), { force: true });
    throw error;
  }
}

async function requireOwner(vmDirectory: string): Promise<VmOwner> {
  const known = await readOwner(vmDirectory);
  if (known !== undefined) return known;
  throw new KataError("KATA_STATE_FILE", `${join(vmDirectory, OWNER)} is missing, or damaged`);
}

/** Whole or not at all: a call that is killed leaves the old one. */
async function replaceOwner(vmDirectory: string, note: VmOwner): Promise<void> {
  writeNew(vmDirectory, note);
  renameSync(newNote(vmDirectory), join(vmDirectory, OWNER));
}

/** Over what is there: the room that it has is not given back first. */
function writeNew(vmDirectory: string, note: VmOwner): void {
  const content = Buffer.from(JSON.stringify(note));
  const file = openSync(newNote(vmDirectory), constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    for (let written = 0; written < content.length; ) {
      written += writeSync(file, content, written, content.length - written, written);
    }
    ftruncateSync(file, content.length);
  } finally {
    closeSync(file);
  }
}

function newNote(vmDirectory: string): string {
  return join(vmDirectory, `${OWNER}.new`);
}

export async function readOwner(vmDirectory: string): Promise<VmOwner | undefined> {
  return readNote(join(vmDirectory, OWNER), owner);
}

/** What the supervisor wrote down of the processes that it started; undefined when it did not come so far. */
export async function readProcesses(vmDirectory: string): Promise<VmProcesses | undefined> {
  return readNote(join(vmDirectory, VmFile.processes), (value, place) =>
    processes(namedByRole({ ...anyObject(value, place) }), place),
  );
}

async function readNote<T>(path: string, shape: Shape<T>): Promise<T | undefined> {
  try {
    return shape(JSON.parse(await readFile(path, "utf8")), path);
  } catch {
    return undefined;
  }
}
