import { statSync } from "node:fs";
import { type ContainerRecord, pidOf, statusOf } from "@kata-ts/virtcontainers/records";

/** runc's `state` object, which is the specification's with a few fields more. */
export interface StateView {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Numeric user id of the root file system's owner, as `#uid`. */
  readonly owner: string;
}

export function stateView(record: ContainerRecord): StateView {
  const { ociVersion, id, bundle, rootfs, created, annotations } = record;
  return {
    ociVersion,
    id,
    pid: pidOf(record),
    status: statusOf(record),
    bundle,
    rootfs,
    created,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    owner: ownerOf(rootfs),
  };
}

function ownerOf(path: string): string {
  const owner = statSync(path, { throwIfNoEntry: false });
  return owner === undefined ? "" : `#${String(owner.uid)}`;
}
