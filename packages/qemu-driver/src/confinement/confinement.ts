/** How far a QEMU is kept from the host, beyond its capabilities: a user and a root directory of its own. */
export interface Confinement {
  /** User ids that are nobody's on this host; each QEMU that runs has one of them, as user and as group. */
  readonly users: UserRange;
  /** A directory of root's, where those in use are locked. */
  readonly locks: string;
}

export interface UserRange {
  readonly first: number;
  readonly last: number;
}
