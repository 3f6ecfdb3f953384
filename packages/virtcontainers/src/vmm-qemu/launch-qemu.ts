/** Loaded by the call that starts a machine in its own process; no other call needs any of it. */
export { launchQemu } from "@kata-ts/qemu-driver";
