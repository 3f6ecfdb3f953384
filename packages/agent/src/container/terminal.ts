import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { descriptorOf, receiveDescriptor, setWindowSize } from "@kata-ts/linux";
import { internal } from "../errors.ts";
import { Input } from "./input.ts";
import { Output } from "./output.ts";
import type { ProcessEnds, ProcessStdio } from "./stdio.ts";

const DIRECTORY = "/run/kata-containers";
let serial = 0;

/** A socket over which crun or runc hands us the master of the terminal that it made for the process. */
export async function terminalEnds(): Promise<ProcessEnds> {
  const path = `${DIRECTORY}/console-${String(serial++)}.sock`;
  let connection: Socket | undefined;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on("error", () => undefined);
    connection = socket;
    server.emit("kata:console");
  });
  server.listen(path);
  await once(server, "listening");
  return {
    fds: undefined,
    consoleSocket: path,
    take: async () => terminalStdio(await receiveMaster(server, () => connection)),
    dispose: () => {
      connection?.destroy();
      server.close();
      rmSync(path, { force: true });
    },
  };
}

// The runtime has sent it before it exits: what is missing is only our own acceptance of the connection.
async function receiveMaster(server: Server, connection: () => Socket | undefined): Promise<number> {
  if (connection() === undefined) await once(server, "kata:console", { signal: AbortSignal.timeout(10_000) });
  const socket = connection();
  if (socket === undefined) throw internal("the container runtime sent no terminal");
  return receiveDescriptor(descriptorOf(socket));
}

function terminalStdio(master: number): ProcessStdio {
  const stdout = new Output(master, true);
  const stdin = new Input(master, stdout.socket);
  return {
    // The end of a terminal's input is a character, not the end of a stream.
    stdin: { write: (...pieces) => stdin.write(...pieces), end: () => undefined },
    stdout,
    stderr: undefined,
    resize: (size) => {
      if (!stdout.socket.destroyed) setWindowSize(master, size);
    },
    destroy: () => {
      stdout.destroy();
    },
  };
}
