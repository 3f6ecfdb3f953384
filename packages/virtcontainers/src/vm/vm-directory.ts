import { randomBytes } from "node:crypto";
import { lstat, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { KataError } from "../errors.ts";
import { removeMountPoints } from "./shared-tree.ts";
import { VmMembers } from "./vm-members.ts";
import { type OwnedRequest, writeOwner } from "./vm-owner.ts";

/** Unix socket paths are at most 107 bytes long. */
const MAX_SOCKET_PATH = 107;

/** The files of one VM on the host. */
export interface VmDirectory {
  readonly path: string;
  readonly shared: string;
  readonly spec: string;
  readonly agentSocket: string;
  readonly proxySocket: string;
  readonly virtiofsSocket: string;
}

export function vmDirectory(path: string): VmDirectory {
  return {
    path,
    shared: join(path, "shared"),
    spec: join(path, "spec.json"),
    agentSocket: join(path, "agent.sock"),
    proxySocket: join(path, "proxy.sock"),
    virtiofsSocket: join(path, "virtiofs.sock"),
  };
}

/** Where the agent of a VM is reached over its serial port: at the supervisor. */
export function serialAgentUrl({ proxySocket }: VmDirectory): string {
  return `unix://${proxySocket}`;
}

/** With its parents, for root alone. @throws KataError KATA_STATE where a file of another user is in the way */
export async function makeOwnDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const owner = await lstat(path);
  if (!owner.isDirectory() || owner.uid !== process.getuid?.()) {
    throw new KataError("KATA_STATE", `${path} is not a directory of this user`, { hint: "remove it and try again" });
  }
}

/** Makes a new directory below `parent`, for root alone. A parent that another user planted is refused. */
export async function createVmDirectory(parent: string, request: OwnedRequest): Promise<VmDirectory> {
  await makeOwnDirectory(parent);
  const directory = vmDirectory(join(parent, randomBytes(6).toString("hex")));
  if (Buffer.byteLength(directory.virtiofsSocket) > MAX_SOCKET_PATH) {
    throw new KataError("KATA_CONFIG", `${parent} is too long a path for unix sockets`, {
      hint: "choose a shorter one",
    });
  }
  await mkdir(directory.path, { mode: 0o700 });
  await writeOwner(directory.path, request);
  await mkdir(directory.shared, { mode: 0o755 });
  await new VmMembers(directory.path).prepare();
  return directory;
}

/** Idempotent. The shared tree is taken down first, and only as empty mount points. */
export async function removeVmDirectory(path: string): Promise<void> {
  await removeMountPoints(join(path, "shared"));
  await rm(path, { recursive: true, force: true });
}
