import { isIPv4 } from "node:net";
import type { SpecProcess } from "@kata-ts/agent-protocol";
import {
  anyObjectAs,
  count,
  type Fields,
  flag,
  listOf,
  mapOf,
  matching,
  object,
  oneOf,
  optional,
  type Shape,
  text,
} from "@kata-ts/linux/shape";
import type { GuestLink } from "@kata-ts/netns/nat";
import { isContainerId } from "../identifiers.ts";
import type { Fingerprint, SavedDisk, SavedExport, SavedVm } from "../ports/saved-vm.ts";
import type { ResourceRequest } from "../ports/store.ts";
import { shareOptions } from "../vm/export-users.ts";

/** Changes whenever an older release could not go on with a snapshot. */
export const SNAPSHOT_FORMAT = 1;
export const MANIFEST = "manifest.json";

/** A container of a sandbox that was saved. */
export interface SavedContainer {
  readonly id: string;
  /** As the guest has it: others take after it. */
  readonly process: SpecProcess;
  /** The first process's user, where the guest has looked it up: `process` has numbers only. */
  readonly user?: string | undefined;
  readonly hasDisks: boolean;
  /** What it is once it is restored, paused or not; an older release has written what it was, and goes by it. */
  readonly status: "running" | "paused";
  /** What its limits ask of the VM. */
  readonly demand: ResourceRequest;
}

/** What a snapshot is of: the file that makes a directory one. */
export interface SnapshotManifest {
  readonly format: typeof SNAPSHOT_FORMAT;
  /** RFC 3339. */
  readonly created: string;
  readonly sandboxId: string;
  /** The addresses that the guest has in a network of the sandbox's own. */
  readonly link?: GuestLink | undefined;
  readonly vm: SavedVm;
  readonly fingerprint: Fingerprint;
  readonly containers: readonly SavedContainer[];
  /** Bytes and digest of every other file, by its name. */
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly digest: string }>>;
}

/** One of ours: nothing that leads out of the directory. */
const fileName: Shape<string> = matching(
  "the name of a file of a snapshot",
  (value): value is string => typeof value === "string" && /^(?:memory|state|disk\d+)-[0-9a-f]{12}$/.test(value),
);

/** Ids become parts of paths. */
const containerId: Shape<string> = matching(
  "the id of a container",
  (value): value is string => typeof value === "string" && isContainerId(value),
);

/** They become parts of commands. */
const ipv4: Shape<string> = matching(
  "an IPv4 address",
  (value): value is string => typeof value === "string" && isIPv4(value),
);

/** The fields of SavedContainer that any container has which another process made. */
export const CONTAINER: Fields<Omit<SavedContainer, "status">> = {
  id: containerId,
  process: anyObjectAs<SpecProcess>(),
  user: optional(text),
  hasDisks: flag,
  demand: object<ResourceRequest>({ milliCpus: count, memoryMiB: count }),
};

const disk: Shape<SavedDisk> = object<SavedDisk>({
  owner: containerId,
  index: count,
  where: text,
  readonly: flag,
  file: fileName,
});

export const snapshotManifest: Shape<SnapshotManifest> = object<SnapshotManifest>({
  format: oneOf(SNAPSHOT_FORMAT),
  created: text,
  sandboxId: containerId,
  link: optional(object<GuestLink>({ gateway: ipv4, guest: ipv4 })),
  vm: object<SavedVm>({
    memory: fileName,
    state: fileName,
    disks: listOf(disk),
    exports: optional(listOf(object<SavedExport>({ source: text, user: text, exported: text, options: shareOptions }))),
    growth: object<SavedVm["growth"]>({ vcpus: count, memoryMiB: count }),
    accelerator: text,
  }),
  fingerprint: mapOf(text),
  containers: listOf(object<SavedContainer>({ ...CONTAINER, status: oneOf("running", "paused") })),
  files: mapOf(object<SnapshotManifest["files"][string]>({ bytes: count, digest: text })),
});
