import { constants, createReadStream, fstatSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { Readable, Writable } from "node:stream";
import { isatty, ReadStream } from "node:tty";
import { NONBLOCKING_READ, NONBLOCKING_WRITE } from "@kata-ts/linux";

/**
 * Our own descriptors 0 to 2 as streams with backpressure. A pipe is opened anew, so that making it non-blocking
 * changes nothing for others who hold the same end. All paths are opened at once: the caller may lose sight of them.
 */
export interface HostStdio {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

export function openHostStdio(): HostStdio {
  return { stdin: openInput(0), stdout: openOutput(1), stderr: openOutput(2) };
}

function openInput(fd: number): Readable {
  switch (kindOf(fd)) {
    case "closed":
      return Readable.from([]);
    case "pipe":
      return new Socket({
        fd: openSync(`/proc/self/fd/${String(fd)}`, NONBLOCKING_READ),
        readable: true,
        writable: false,
      });
    case "socket":
      return new Socket({ fd, readable: true, writable: false, allowHalfOpen: true });
    case "terminal":
      return new ReadStream(fd);
    case "file":
      return createReadStream("", { fd, autoClose: false });
  }
}

function openOutput(fd: number): Writable {
  switch (kindOf(fd)) {
    case "pipe":
      return new Socket({
        fd: openSync(`/proc/self/fd/${String(fd)}`, NONBLOCKING_WRITE),
        readable: false,
        writable: true,
      });
    case "socket":
      return sharedSocketOutput(new Socket({ fd, readable: false, writable: true, allowHalfOpen: true }));
    case "closed":
      return new Writable({
        write: (_chunk, _encoding, done) => {
          done();
        },
      });
    case "terminal":
    case "file":
      return blockingOutput(fd);
  }
}

// Ending a socket shuts it down for everybody who holds it: ours is only ever written to.
function sharedSocketOutput(socket: Socket): Writable {
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      socket.write(chunk, done);
    },
  });
  socket.on("error", (error) => output.destroy(error));
  return output;
}

// Files and terminals take all they are given; there is no waiting for them that a loop could watch.
function blockingOutput(fd: number): Writable {
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
