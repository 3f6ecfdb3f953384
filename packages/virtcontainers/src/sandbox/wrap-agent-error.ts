import { KataError, reasonOf } from "../errors.ts";

/** Gives an error of the guest's agent a code, and names the step that the agent refused. */
export async function wrapAgentError<T>(what: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KataError) throw error;
    throw new KataError("KATA_AGENT", `could not ${what}: ${reasonOf(error)}`, { cause: error });
  }
}
