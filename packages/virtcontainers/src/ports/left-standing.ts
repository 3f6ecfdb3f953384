import { KataError } from "../errors.ts";

/** A VM that was to be saved stands still, and could not be let go on. */
export class LeftStanding extends KataError {
  constructor(why: string, cause: unknown) {
    super("KATA_SNAPSHOT", `the VM could not be saved: ${why}`, {
      cause,
      hint: "it goes on once its monitor answers: end it if that is not to be",
    });
  }
}
