import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { identifyProcess, type ProcessIdentity } from "@kata-ts/linux";
import { anyObject, flag, listOf, object, optional, type Shape, text } from "@kata-ts/linux/shape";
import { VmFile, type VmProcesses } from "@kata-ts/proxy";
import { recordedCgroup } from "../cgroup/recorded.ts";
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
  readonly creator: ProcessIdentity;
  /** It was made to wait for a sandbox, and none has taken it. */
  readonly cached?: boolean;
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
