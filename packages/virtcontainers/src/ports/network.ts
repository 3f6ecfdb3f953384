/**
 * What connects a sandbox's network namespace to its VM. `none` gives the guest its loopback only; the models that take
 * over a namespace come as further implementations.
 */
export interface Network {
  readonly model: "none";
  /** The namespace that the VM's and the shim's processes are started in; undefined: the caller's. */
  readonly namespace: string | undefined;
}
