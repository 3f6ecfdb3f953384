import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface ScriptResult {
  readonly status: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

/** A script that writes more than this has gone wrong. */
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

/**
 * Runs a shell script in a host, through the port that its lab-agent reads. A host that still boots takes it when its
 * agent has started: QEMU keeps the bytes until then.
 *
 * @throws Error with what has come so far, when the script does not end in time or the host goes away
 */
export async function runScript(socketPath: string, script: string, timeoutMs: number): Promise<ScriptResult> {
  const token = randomBytes(8).toString("hex");
  const body = Buffer.from(`${script}\n`);
  const socket = connect(socketPath);
  const late = new Error(`a script in the laboratory did not end within ${String(timeoutMs / 1000)} s`);
  const timer = setTimeout(() => socket.destroy(late), timeoutMs);
  let output = "";
  try {
    await once(socket, "connect");
    socket.write(Buffer.concat([Buffer.from(`lab ${token} ${String(body.length)}\n`), body]));
    for await (const text of textOf(socket)) {
      output += text;
      const result = parse(output, token);
      if (result !== undefined) return result;
      if (output.length > MAX_OUTPUT_BYTES) throw new Error("a script in the laboratory writes without end");
    }
    throw new Error("the laboratory's host has ended");
  } catch (error) {
    throw new Error(`${(error as Error).message}\n--- script\n${script}\n--- its output\n${output}`, { cause: error });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

async function* textOf(socket: Socket): AsyncGenerator<string> {
  socket.setEncoding("utf8");
  for await (const text of socket) yield text as string;
}

/** What stands before the first mark belongs to a script whose caller has gone. */
function parse(text: string, token: string): ScriptResult | undefined {
  const begin = `#${token} begin\n`;
  const start = text.indexOf(begin);
  if (start < 0) return undefined;
  const end = text.lastIndexOf(`\n#${token} end `);
  if (end < 0 || !text.endsWith("\n")) return undefined;
  const status = Number.parseInt(text.slice(text.lastIndexOf(" ")), 10);
  return { status, output: text.slice(start + begin.length, Math.max(end, start + begin.length)) };
}
