import { reasonOf } from "@kata-ts/virtcontainers/records";

/**
 * Takes back what was made for a command that has come to its end. That this fails is warned about, and changes neither the command's status
 * nor the error that has ended it: notes of it stay, by which the next run tries again.
 *
 * @param name of what is taken back
 */
export async function giveBack(
  name: string,
  takeBack: () => PromiseLike<void>,
  warn: (message: string) => void,
): Promise<void> {
  try {
    await takeBack();
  } catch (error) {
    warn(`${name} could not be removed, which the next run tries again: ${reasonOf(error)}`);
  }
}
