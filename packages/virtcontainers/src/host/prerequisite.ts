/** Something that sandboxes need of a host. */
export interface Prerequisite {
  readonly name: string;
  /** What is there: a path, a version. */
  readonly found: string;
  /** Why it cannot be used; absent when it can. */
  readonly problem?: string;
  /** What to do about the problem. */
  readonly remedy?: string;
  /** Where it is missing things work all the same, but less. */
  readonly optional: boolean;
}
