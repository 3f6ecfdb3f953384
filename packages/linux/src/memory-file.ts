import { call } from "./native.ts";

const MFD_CLOEXEC = 1;

/** A file that is in memory only, without a name: it is gone with the last process that holds or maps it. */
export function createMemoryFile(label: string): number {
  return call("int memfd_create(str name, unsigned int flags)", label, label, MFD_CLOEXEC);
}
