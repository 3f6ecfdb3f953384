import { KataError } from "../errors.ts";
import type { ContainerRecord } from "../ports/store.ts";

/** Whether a record is of the container that is meant: an id may have been given back and taken again meanwhile. */
export function isIncarnation(record: ContainerRecord, incarnation: string | undefined): boolean {
  return incarnation === undefined || record.incarnation === incarnation;
}

/** What a caller knew of a record when it last read it. */
export type Known = Partial<Pick<ContainerRecord, "incarnation" | "generation">>;

export function isUnchanged(record: ContainerRecord, { generation }: Known): boolean {
  return generation === undefined || record.generation === generation;
}

/** @throws KataError KATA_NOT_FOUND for another container's record */
export function requireIncarnation(record: ContainerRecord, incarnation: string | undefined): void {
  if (isIncarnation(record, incarnation)) return;
  throw new KataError(
    "KATA_NOT_FOUND",
    `container does not exist: ${record.id} was deleted, and its id is another's now`,
  );
}
