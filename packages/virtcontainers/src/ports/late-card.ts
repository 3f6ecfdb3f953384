import { KataError } from "../errors.ts";

/** A guest was asked for a network card, and has not let go of it in time. It cannot be asked to keep it: it may let go of it later. */
export class LateCard extends KataError {
  /** @param what whose card: `interface eth0` */
  constructor(what: string, cause: unknown) {
    super("KATA_NETWORK_INTERFACE", `the guest has not let go of ${what} in time, and may do so later`, {
      cause,
      hint: "`kata-network sync` and syncNetwork give it back, once the guest has let go of it",
    });
  }
}
