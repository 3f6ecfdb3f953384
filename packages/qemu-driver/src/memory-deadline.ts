/**
 * QEMU answers nothing while it pins memory, as it does with a device of the host's in the machine, or allocates it
 * beforehand: for seconds with gigabytes, for minutes with hundreds of them or where the host is itself a virtual machine.
 */
export const MEMORY_DEADLINE_MS = 300_000;
