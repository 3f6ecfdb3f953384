/** What does not keep the program running, and ends when there is nothing else left to do. */
const left: Set<AsyncDisposable> = new Set();

function endAll(): void {
  for (const resource of left) {
    left.delete(resource);
    void end(resource);
  }
}

async function end(resource: AsyncDisposable): Promise<void> {
  try {
    await resource[Symbol.asyncDispose]();
  } catch (error) {
    process.emitWarning(`a sandbox that was left did not end: ${String(error)}`);
  }
}

/** From now on it is disposed of when the program has nothing else left to do. */
export function endAtExit(resource: AsyncDisposable): void {
  if (left.size === 0) process.once("beforeExit", endAll);
  left.add(resource);
}

/** As before endAtExit. */
export function leaveAtExit(resource: AsyncDisposable): void {
  left.delete(resource);
  if (left.size === 0) process.off("beforeExit", endAll);
}
