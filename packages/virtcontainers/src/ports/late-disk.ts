import { KataError } from "../errors.ts";

/** A guest was asked for a disk, and has not let go of it in time. It cannot be asked to keep it: it may let go of it later. */
export class LateDisk extends KataError {
  constructor(owner: string, cause: unknown) {
    super("KATA_DISK", `the guest has not let go of a disk of container ${owner} in time, and may do so later`, {
      cause,
      hint: "what then is left of it is given back before its VM gets another disk or is saved, or with the VM",
    });
  }
}
