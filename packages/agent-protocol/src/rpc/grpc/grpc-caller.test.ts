import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Call } from "../caller.ts";
import { unixSocket } from "../reach.ts";
import { GrpcCaller } from "./grpc-caller.ts";
import { grpcMessage } from "./message.ts";

const CALL: Omit<Call, "expiresAt"> = {
  path: "/grpc.Health/Check",
  request: new Uint8Array(),
  signal: undefined,
  waitForReady: false,
};

/** A call that is not answered. */
const WAITING = "/grpc.AgentService/WaitProcess";

describe("connections to an agent that ends them", () => {
  let directory = "";
  let server: Http2Server;
  let sessions: ServerHttp2Session[];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "grpc-caller-"));
    sessions = [];
    server = createServer();
    server.on("session", (session) => sessions.push(session));
    server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on("error", () => undefined);
      if (headers[":path"] === WAITING) return;
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.once("wantTrailers", () => {
        stream.sendTrailers({ "grpc-status": "0" });
      });
      stream.end(grpcMessage(new Uint8Array()));
    });
    server.listen(join(directory, "agent.sock"));
    await once(server, "listening");
  });
  afterEach(() => {
    for (const session of sessions) session.destroy();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });

  function ask(caller: GrpcCaller, path = CALL.path): Promise<Uint8Array> {
    return caller.call({ ...CALL, path, expiresAt: performance.now() + 5_000 });
  }

  it("are one at a time for new calls, and all end with the caller", async () => {
    const caller = new GrpcCaller(unixSocket(`unix://${join(directory, "agent.sock")}`));
    await ask(caller);
    const [first] = sessions;
    if (first === undefined) throw new Error("no connection came");
    const asked = once(server, "stream");
    const waiting = ask(caller, WAITING);
    await asked;
    // The call that waits keeps the first connection, which takes no new ones from now on.
    first.goaway(0);
    await expect.poll(async () => ask(caller).then(() => sessions.length)).toBe(2);
    first.destroy();
    await expect(waiting).rejects.toThrow("was lost");
    await ask(caller);
    await ask(caller);
    expect(sessions.length).toBe(2);
    const ended = once(sessions[1] ?? first, "close");
    caller.close();
    await ended;
  });
});
