import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** Of Node's start, beside the time for the answer itself. */
const START_MS = 3_000;

const POST = `const [url, deadline] = process.argv.slice(1);
  const chunks = [];
  process.stdin.on("data", (chunk) => chunks.push(chunk)).on("end", async () => {
    try {
      const init = { method: "POST", headers: { "content-type": "application/json" }, body: Buffer.concat(chunks) };
      const { status } = await fetch(url, { ...init, signal: AbortSignal.timeout(Number(deadline)) });
      process.stdout.write(JSON.stringify({ status }));
    } catch ({ message, cause }) {
      process.stdout.write(JSON.stringify({ failure: cause?.message || cause?.code || message }));
    }
  });`;

/**
 * As postJson() of post-json.ts, for programs that have neither names of hosts nor TLS of their own: the Node that is beside them is
 * started for it.
 */
export async function postJson(
  url: string,
  body: string,
  deadlineMs: number,
  node: string = join(import.meta.dirname, "node"),
): Promise<number> {
  const child = spawn(node, ["--input-type=commonjs", "-e", POST, "--", url, String(deadlineMs)], {
    timeout: START_MS + deadlineMs,
    killSignal: "SIGKILL",
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = once(child, "close");
  child.stdin.on("error", () => undefined).end(body);
  const [answer] = await Promise.all([text(child.stdout), ended]);
  return statusIn(answer);
}

function statusIn(answer: string): number {
  const { status, failure }: { status?: unknown; failure?: unknown } = answer === "" ? {} : parsed(answer);
  if (typeof status === "number") return status;
  throw new Error(typeof failure === "string" ? failure : "Node gave no answer in time");
}

function parsed(answer: string): object {
  const value: unknown = JSON.parse(answer);
  return typeof value === "object" && value !== null ? value : {};
}
