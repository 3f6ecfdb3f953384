import { once } from "node:events";
import { constants, type IncomingHttpHeaders, performServerHandshake } from "node:http2";
import { Duplex } from "node:stream";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type AgentHandlers,
  type AgentRpcs,
  agentRpcs,
  type Codec,
  createAgentServer,
  endOfStream,
  YamuxSession,
} from "../src/index.ts";
import { Flag, FrameType } from "../src/yamux/frame.ts";
import { AuthorityFilter } from "./grpc/authority-filter.ts";
import { decodeYamux, grpcMessages, recordedChunks, withoutPingAnswers } from "./recording.ts";
import { wirePair } from "./wire-pair.ts";

type ContractRpc = keyof AgentRpcs;

const byPath = new Map((Object.keys(agentRpcs) as ContractRpc[]).map((name) => [agentRpcs[name].path, name]));

/** The requests' paths, decoded by Node's own HTTP/2 from the recorded bytes. */
async function requestPaths(bytes: Buffer): Promise<Map<number, string>> {
  const paths: Map<number, string> = new Map();
  const socket = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const session = performServerHandshake(new AuthorityFilter(socket));
  session.on("stream", (stream, headers: IncomingHttpHeaders) => {
    paths.set(stream.id ?? 0, String(headers[constants.HTTP2_HEADER_PATH]));
    stream.on("error", () => undefined);
  });
  // The client acknowledges the server's settings: they have to be sent before.
  const settingsEnd = 24 + 9;
  socket.push(bytes.subarray(0, settingsEnd));
  await turns(5);
  socket.push(withoutPingAnswers(bytes.subarray(settingsEnd)));
  await turns(10);
  session.destroy();
  return paths;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

interface Exchange {
  readonly name: ContractRpc;
  readonly requests: Buffer[];
  readonly responses: Buffer[];
}

describe("the recording of the original's channel", () => {
  const exchanges: Exchange[] = [];
  const host = decodeYamux(recordedChunks("host->guest"));
  const guest = decodeYamux(recordedChunks("guest->host"));

  beforeAll(async () => {
    for (const [id, sent] of host.streams) {
      const paths = await requestPaths(sent);
      const requests = grpcMessages(sent);
      const responses = grpcMessages(guest.streams.get(id) ?? Buffer.alloc(0));
      for (const [stream, path] of paths) {
        const name = byPath.get(path);
        if (name === undefined) throw new Error(`unknown path ${path}`);
        exchanges.push({ name, requests: requests.get(stream) ?? [], responses: responses.get(stream) ?? [] });
      }
    }
  });

  it("consists of frames that our reader knows, with the original's flags", () => {
    expect(host.headers.length + guest.headers.length).toBe(256);
    const opened = host.headers.filter(({ flags }) => (flags & Flag.SYN) !== 0);
    const streams = opened.filter(({ type }) => type === FrameType.WindowUpdate).map(({ streamId }) => streamId);
    expect(streams).toEqual(Array.from({ length: streams.length }, (_, index) => 1 + 2 * index));
    expect(
      guest.headers.filter(({ type, flags }) => type === FrameType.WindowUpdate && flags === Flag.ACK),
    ).toHaveLength(streams.length);
  });

  it("holds the calls of one sandbox, each known by path", () => {
    const counts = Map.groupBy(exchanges, ({ name }) => name);
    expect(counts.get("readStdout")).toHaveLength(6);
    expect(counts.get("waitProcess")).toHaveLength(5);
    for (const name of ["check", "createSandbox", "createContainer", "startContainer", "destroySandbox"] as const) {
      expect(counts.get(name)).toHaveLength(1);
    }
  });

  it("decodes to messages that encode to the same bytes again", () => {
    let messages = 0;
    for (const { name, requests, responses } of exchanges) {
      for (const [side, bytes] of [
        ...requests.map((b) => ["request", b] as const),
        ...responses.map((b) => ["response", b] as const),
      ]) {
        const codec = agentRpcs[name][side] as unknown as Codec<object, object>;
        const decoded = codec.decode(bytes);
        expect(decoded, `${name} ${side}`).not.toHaveProperty("$unknowns");
        // Go writes map entries in random order: compare what they mean where bytes may differ in order only.
        const again = codec.encode(decoded).finish();
        expect(again.length).toBe(bytes.length);
        expect(codec.decode(again)).toEqual(decoded);
        messages++;
      }
    }
    expect(messages).toBe(57);
  });

  it("says what the original's runtime asked for", () => {
    const decode = (name: ContractRpc): Record<string, unknown>[] =>
      exchanges
        .filter((exchange) => exchange.name === name)
        .flatMap(({ requests }) =>
          requests.map((bytes) => agentRpcs[name].request.decode(bytes) as unknown as Record<string, unknown>),
        );
    expect(decode("createSandbox")[0]).toMatchObject({
      hostname: "kata",
      storages: [{ driver: "9p", source: "kataShared" }, { driver: "ephemeral" }],
    });
    const [container] = decode("createContainer") as [{ OCI: { Root: { Path: string }; Version: string } }];
    expect(container.OCI.Root.Path).toMatch(/^\/run\/kata-containers\/shared\/containers\/.+\/rootfs$/);
  });

  it("is answered by our server, stream for stream", async () => {
    const called: ContractRpc[] = [];
    const note = (name: ContractRpc, answer: () => object) => async () => {
      called.push(name);
      return answer();
    };
    const handlers = Object.fromEntries(
      (Object.keys(agentRpcs) as ContractRpc[]).map((name) => [
        name,
        note(name, () => {
          if (name === "readStdout" || name === "readStderr") throw endOfStream();
          return name === "check" ? { status: 1 } : {};
        }),
      ]),
    ) as AgentHandlers;
    const server = createAgentServer(handlers);
    const [theirs, ours] = wirePair([1, 7, 100, 3000]);
    const session = new YamuxSession(ours, {
      role: "server",
      onStream: (stream) => {
        stream.on("error", () => undefined);
        server.serve(stream);
      },
    });
    const answered: Buffer[] = [];
    theirs.on("data", (chunk: Buffer) => answered.push(chunk));
    // All but the end of the streams, or the calls would be cancelled by a client that no longer waits.
    for (const chunk of recordedChunks("host->guest")) {
      if (!(chunk.length === 12 && (chunk.readUInt16BE(2) & Flag.FIN) !== 0)) theirs.write(withoutPingAnswers(chunk));
      await turns(1); // The original's server had answered by then.
    }
    while (called.length < exchanges.length) await once(theirs, "data");
    const acknowledged = (): number =>
      decodeYamux(answered).headers.filter(
        ({ type, flags }) => type === FrameType.WindowUpdate && (flags & Flag.ACK) !== 0,
      ).length;
    while (acknowledged() < host.streams.size) await once(theirs, "data");
    expect([...called].sort()).toEqual(exchanges.map(({ name }) => name).sort());
    const replies = decodeYamux(answered);
    for (const [id, bytes] of replies.streams) expect(() => grpcMessages(bytes), `stream ${String(id)}`).not.toThrow();
    session.close();
    server.close();
  });
});
