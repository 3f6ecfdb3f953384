import { constants, createReadStream, fstatSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { Readable, Writable } from "node:stream";
import { isatty } from "node:tty";
import { isHungUp, NONBLOCKING_READ, NONBLOCKING_WRITE, openPollable, releaseDescriptor } from "@kata-ts/linux";
import { type OutputFiles, OutputRing } from "./output-ring.ts";

/**
 * The host's side of a process's streams, with backpressure. Our own descriptors 0 to 2 are opened anew where that is
 * possible, so that making them non-blocking changes nothing for others who hold the same end, and then let go of: an
 * end is told on when the process's own is closed. All paths are opened at once: the caller may lose sight of them.
 */
export interface HostStdio {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Whether the terminal that this is has lost its other end. */
  readonly isHungUp?: () => boolean;
  /** The terminal that this is: its size is the process's. */
  readonly terminal?: number;
  /** What a process has to do before it becomes another user and goes on with these. */
  readonly giveTo?: (user: number) => void;
}

/**
 * @param terminal whether the process has a terminal: ours is then its other end
 * @param files where both outputs go instead of our descriptors
 */
export function openHostStdio(terminal: boolean, files?: OutputFiles): HostStdio {
  if (files !== undefined) {
    const ring = new OutputRing(files);
    const giveTo = (user: number): void => {
      ring.giveTo(user);
    };
    return { stdin: openInput(0), stdout: ring.stream(), stderr: ring.stream(), giveTo };
  }
  const screen = terminal ? [0, 1, 2].find((fd) => isatty(fd)) : undefined;
  return {
    stdin: openInput(0),
    stdout: openOutput(1),
    stderr: openOutput(2),
    ...(screen === undefined ? {} : { terminal: screen, isHungUp: () => isHungUp(screen) }),
  };
}

function openInput(fd: number): Readable {
  switch (kindOf(fd)) {
    case "closed":
      return Readable.from([]);
    case "pipe":
      return pollAnew(fd, NONBLOCKING_READ, { readable: true, writable: false });
    case "terminal":
      return terminalInput(fd);
    case "socket":
      return new Socket({ fd, readable: true, writable: false, allowHalfOpen: true });
    case "file":
      return createReadStream("", { fd, autoClose: false });
  }
}

function openOutput(fd: number): Writable {
  switch (kindOf(fd)) {
    case "pipe":
      return pollAnew(fd, NONBLOCKING_WRITE, { readable: false, writable: true });
    case "terminal":
      return terminalOutput(fd);
    case "socket":
      return neverEnded(new Socket({ fd, readable: false, writable: true, allowHalfOpen: true }));
    case "closed":
      return nowhere();
    case "file":
      return fileOutput(fd);
  }
}

function pollAnew(fd: number, flags: number, options: { readable: boolean; writable: boolean }): Socket {
  const socket = openPollable(openAnew(fd, flags), options);
  releaseDescriptor(fd);
  return socket;
}

function openAnew(fd: number, flags: number): number {
  return openSync(`/proc/self/fd/${String(fd)}`, flags | constants.O_NOCTTY);
}

/** A closed terminal shows as an error; its input ends then. */
export function terminalInput(fd: number): Readable {
  const stream = openPollable(openAnew(fd, NONBLOCKING_READ), { readable: true, writable: false });
  stream.on("error", () => undefined);
  return stream;
}

export function terminalOutput(fd: number): Writable {
  return neverEnded(openPollable(openAnew(fd, NONBLOCKING_WRITE), { readable: false, writable: true }));
}

/** Takes everything and keeps nothing. */
export function nowhere(): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
}

/** Ending a socket shuts it down for every process that holds it, and a terminal has no end: these are only written to. */
function neverEnded(socket: Socket): Writable {
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      socket.write(chunk, done);
    },
  });
  socket.on("error", (error) => output.destroy(error));
  return output;
}

// Files take all they are given; there is no waiting for them that a loop could watch.
function fileOutput(fd: number): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      try {
        for (let offset = 0; offset < chunk.length; ) offset += writeSync(fd, chunk, offset);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

function kindOf(fd: number): "closed" | "pipe" | "socket" | "terminal" | "file" {
  try {
    const type = fstatSync(fd).mode & constants.S_IFMT;
    if (type === constants.S_IFIFO) return "pipe";
    if (type === constants.S_IFSOCK) return "socket";
    return isatty(fd) ? "terminal" : "file";
  } catch {
    return "closed";
  }
}
