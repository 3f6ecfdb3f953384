/** The agent's log: one line per event on the guest's console, which the host keeps. Nothing of a container's output. */
export function log(message: string): void {
  process.stderr.write(`kata-agent: ${message}\n`);
}
