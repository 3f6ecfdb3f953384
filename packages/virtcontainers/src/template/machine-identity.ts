import { anyObject, listOf, object, type Shape, text } from "@kata-ts/linux/shape";
import type { MachineIdentity } from "../ports/vmm.ts";

/** As it is kept beside what was made of the machine. A key is computed of it, which is compared: no more is checked. */
export const machineIdentity: Shape<MachineIdentity> = object<MachineIdentity>({
  machine: anyObject,
  files: listOf(text),
  start: text,
});
