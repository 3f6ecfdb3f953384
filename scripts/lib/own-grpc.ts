import { dirname } from "node:path";
import type { Plugin } from "esbuild";

/**
 * Puts the gRPC client that has an HTTP/2 of its own in the place of the one that is on Node's, for programs that run elsewhere. Both are
 * called in the same way, and pass the same tests.
 */
export const ownGrpc: Plugin = {
  name: "own-grpc",
  setup: (build) => {
    build.onResolve({ filter: /\/grpc-caller\.js$/ }, ({ importer }) => ({ path: importer, namespace: "own-grpc" }));
    build.onLoad({ filter: /./, namespace: "own-grpc" }, ({ path }) => ({
      contents: `export { UnaryCaller as GrpcCaller } from "./grpc/unary-caller.js";`,
      resolveDir: dirname(path),
    }));
  },
};
