import { createWriteStream, mkdirSync, openSync, statSync, type WriteStream } from "node:fs";
import { dirname } from "node:path";
import { Readable, Writable } from "node:stream";
import { RpcError, RpcStatus } from "@kata-ts/agent-protocol/ttrpc";
import { FifoInput, FifoOutput } from "./fifo.ts";
import { type LoggedContainer, LoggerProgram } from "./logger.ts";
import type { StdioRequest, TaskStdio } from "./stdio.ts";

/** Two outputs, and what is to be closed of them in the end. */
interface Outputs {
  readonly stdout: Writable;
  readonly stderr: Writable;
  close(): Promise<void>;
}

/** Opens a process's streams. Nothing stays open where one of them cannot be. @throws RpcError */
export async function openStdio(request: StdioRequest, container: LoggedContainer): Promise<TaskStdio> {
  const input = request.stdin === "" ? undefined : opened(request.stdin, () => new FifoInput(request.stdin));
  try {
    const outputs = await openOutputs(request, container);
    return {
      stdin: input?.stream ?? Readable.from([]),
      stdout: outputs.stdout,
      stderr: outputs.stderr,
      closeStdin: () => input?.closeStdin(),
      close: async () => {
        input?.close();
        await outputs.close();
      },
    };
  } catch (error) {
    input?.close();
    throw error;
  }
}

/** As containerd's own shims, it is the first output that says where both go, where that is no fifo. */
async function openOutputs({ stdout, stderr, terminal }: StdioRequest, container: LoggedContainer): Promise<Outputs> {
  const url = /^[a-z]+:\/\//.test(stdout) ? new URL(stdout) : undefined;
  if (url?.protocol === "binary:") {
    const logger = await LoggerProgram.start(url, container);
    return { stdout: logger.stdout, stderr: logger.stderr, close: () => logger.close() };
  }
  if (url?.protocol === "file:") return openFile(decodeURIComponent(url.pathname));
  if (url !== undefined && url.protocol !== "fifo:") {
    const known = "a fifo's path, fifo://, binary:// and file:// are known";
    throw new RpcError(RpcStatus.InvalidArgument, `outputs cannot go to ${stdout}: ${known}`);
  }
  const first = openOutput(pathOf(stdout));
  try {
    const second = terminal ? openOutput("") : openOutput(pathOf(stderr));
    return {
      stdout: first,
      stderr: second,
      close: () => {
        for (const output of [first, second]) closeOutput(output);
        return Promise.resolve();
      },
    };
  } catch (error) {
    closeOutput(first);
    throw error;
  }
}

function pathOf(place: string): string {
  return place.startsWith("fifo://") ? place.slice("fifo://".length) : place;
}

function openOutput(path: string): Writable {
  if (path === "") return nowhere();
  return opened(path, () => (statSync(path).isFIFO() ? new FifoOutput(path) : appendTo(path, 0o600)));
}

function closeOutput(output: Writable): void {
  if (output instanceof FifoOutput) output.close();
  output.destroy();
}

function openFile(path: string): Outputs {
  const file = opened(path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    return appendTo(path, 0o644);
  });
  // Both outputs learn of a failed write by its callback.
  file.on("error", () => undefined);
  const shared = (): Writable =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        file.write(chunk, done);
      },
    });
  return {
    stdout: shared(),
    stderr: shared(),
    close: () =>
      new Promise((resolve) => {
        file.once("error", resolve);
        file.end(resolve);
      }),
  };
}

/** Opens the file at once: a stream that opens it later fails where nothing listens yet, which would end the pod. */
function appendTo(path: string, mode: number): WriteStream {
  return createWriteStream(path, { fd: openSync(path, "a", mode) });
}

function nowhere(): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
}

function opened<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new RpcError(RpcStatus.NotFound, `the stream ${path} cannot be opened: ${why}`);
  }
}
