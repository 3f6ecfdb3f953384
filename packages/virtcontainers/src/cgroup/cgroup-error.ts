import { KataError, reasonOf } from "../errors.ts";

export function cgroupError(what: string, cause: unknown): KataError {
  return new KataError("KATA_CGROUP", `could not ${what}: ${reasonOf(cause)}`, {
    cause,
    hint: "the kernel refuses a limit that is too low, or a cgroup that its parent does not allow",
  });
}

/** @throws KataError KATA_CGROUP that says what was tried */
export function attempt(what: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw cgroupError(what, error);
  }
}
