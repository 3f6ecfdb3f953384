// For grpc-server.test.ts: serves gRPC to whatever is at the other end of its connection, again and again.
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { UnaryServer } from "../../src/rpc/grpc/unary-server.ts";

const [path = ""] = process.argv.slice(2);
const server = new UnaryServer(async (_path, request) => request);
for (;;) {
  const socket = connect(path);
  socket.on("error", () => undefined);
  server.serve(socket);
  await new Promise((resolve) => socket.once("close", resolve)); // Also after an error.
  await delay(1);
}
