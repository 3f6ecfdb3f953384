/** How far a QEMU is kept from the host, beyond its capabilities: a user and a root directory of its own. */
export interface Confinement {
  /** User ids that nothing else on this host has. Each VM that runs has three of them: QEMU's, its shims', and its kata-proxy's; as groups, too. */
  readonly users: UserRange;
  /** A directory of root's, where those in use are locked. */
  readonly locks: string;
}

export interface UserRange {
  readonly first: number;
  readonly last: number;
}
