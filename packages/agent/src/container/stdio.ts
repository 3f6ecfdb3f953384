import { closeSync } from "node:fs";
import { createPipe, openPollable, type StandardDescriptors, setPipeSize, type WindowSize } from "@kata-ts/linux";
import { Input } from "./input.ts";
import { Output } from "./output.ts";

/** Bytes that a stream's pipe holds. Larger than Linux's default: fewer switches between the process and us. */
const PIPE_BYTES = 1024 * 1024;

/** Our ends of a process's standard streams. */
export interface ProcessStdio {
  readonly stdin: Pick<Input, "write" | "end">;
  readonly stdout: Output;
  /** Undefined with one output for both, as of a terminal. */
  readonly stderr: Output | undefined;
  /** Only with a terminal. */
  resize?(size: WindowSize): void;
  destroy(): void;
}

/** What the process is started with. */
export interface ProcessEnds {
  /** Descriptors 0 to 2; undefined with a terminal. */
  readonly fds: StandardDescriptors | undefined;
  /** Where the runtime sends the terminal's master to. */
  readonly consoleSocket: string | undefined;
  /** Our ends, once the process is there. */
  take(): Promise<ProcessStdio>;
  /** To be called in the end, whether the process came about or not. */
  dispose(): void;
}

/**
 * Real pipes, not Node's socket pairs: a program may re-open them through /dev/stdout.
 *
 * @param oneOutput one pipe for both outputs: what is written to the one and to the other stays in its order
 */
export function pipeEnds(oneOutput = false): ProcessEnds {
  const [stdin, stdout] = [createPipe(), createPipe()];
  const stderr = oneOutput ? undefined : createPipe();
  const fds = [stdin.read, stdout.write, (stderr ?? stdout).write] as const;
  const ours = [stdin.write, stdout.read, ...(stderr === undefined ? [] : [stderr.read])];
  for (const { read } of [stdin, stdout, ...(stderr === undefined ? [] : [stderr])]) setPipeSize(read, PIPE_BYTES);
  return {
    fds,
    consoleSocket: undefined,
    take: () => {
      ours.length = 0;
      return Promise.resolve(pipeStdio(stdin.write, stdout.read, stderr?.read));
    },
    dispose: () => {
      for (const fd of new Set([...fds, ...ours])) closeSync(fd);
    },
  };
}

function pipeStdio(stdinFd: number, stdoutFd: number, stderrFd: number | undefined): ProcessStdio {
  const stdin = new Input(stdinFd, openPollable(stdinFd, { readable: false, writable: true }));
  const stdout = new Output(stdoutFd);
  const stderr = stderrFd === undefined ? undefined : new Output(stderrFd);
  const destroy = (): void => {
    for (const end of [stdin, stdout, stderr]) end?.destroy();
  };
  return { stdin, stdout, stderr, destroy };
}
