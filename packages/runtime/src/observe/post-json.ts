/**
 * Posts a document of JSON.
 *
 * @param url of HTTP or HTTPS
 * @returns the status of the answer
 * @throws Error where there is no answer in time
 */
export async function postJson(url: string, body: string, deadlineMs: number): Promise<number> {
  const headers = { "content-type": "application/json" };
  try {
    const { status } = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(deadlineMs) });
    return status;
  } catch (error) {
    throw new Error(reasonIn(error as Error), { cause: error });
  }
}

/** fetch says no more than that it failed; where a name has several addresses, what it failed with has no words either. */
function reasonIn({ message, cause }: Error): string {
  if (!(cause instanceof Error)) return message;
  return cause.message === "" ? ((cause as NodeJS.ErrnoException).code ?? message) : cause.message;
}
