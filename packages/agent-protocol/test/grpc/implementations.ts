import type { Duplex } from "node:stream";
import type { Caller } from "../../src/rpc/caller.ts";
import { UnaryCaller } from "../../src/rpc/grpc/unary-caller.ts";
import { UnaryServer } from "../../src/rpc/grpc/unary-server.ts";
import { unixSocket } from "../../src/rpc/reach.ts";
import type { Answer } from "../../src/rpc/ttrpc/ttrpc-server.ts";
import { GrpcJsCaller } from "./grpc-js-caller.ts";
import { GrpcServer } from "./grpc-server.ts";
import { bySockets, byYamux, type Carrier } from "./wire.ts";

interface Server {
  serve(connection: Duplex): void;
  close(): void;
}

export interface Implementations {
  readonly server: string;
  readonly client: string;
  readonly wire: string;
  readonly serverOf: (answer: Answer) => Server;
  /** @param path of a unix socket */
  readonly clientOf: (path: string) => Caller;
  readonly carrier: Carrier;
}

const SERVERS: Readonly<Record<string, (answer: Answer) => Server>> = {
  "our server": (answer) => new UnaryServer(answer),
  "grpc-js's server": (answer) => new GrpcServer(answer),
};

const CLIENTS: Readonly<Record<string, (path: string) => Caller>> = {
  "our client": (path) => new UnaryCaller(unixSocket(`unix://${path}`)),
  "grpc-js's client": (path) => new GrpcJsCaller(path),
};

const CARRIERS: Readonly<Record<string, Carrier>> = { sockets: bySockets, yamux: byYamux };

/** Each server with each client over each wire. */
export const PAIRS: readonly Implementations[] = Object.entries(SERVERS).flatMap(([server, serverOf]) =>
  Object.entries(CLIENTS).flatMap(([client, clientOf]) =>
    Object.entries(CARRIERS).map(([wire, carrier]) => ({ server, client, wire, serverOf, clientOf, carrier })),
  ),
);
