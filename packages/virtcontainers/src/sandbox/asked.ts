import { KataError, reasonOf } from "../errors.ts";

/** Names the step in which the guest refused. */
export async function asked<T>(what: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KataError) throw error;
    throw new KataError("KATA_AGENT", `could not ${what}: ${reasonOf(error)}`, { cause: error });
  }
}
