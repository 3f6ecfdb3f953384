import type { Plugin } from "esbuild";

/** Traces of programs that have no HTTPS are sent by the Node that is beside them. */
export const postByNode: Plugin = {
  name: "post-by-node",
  setup: (build) => {
    build.onResolve({ filter: /\/post-json\.js$/ }, ({ importer, resolveDir, kind }) =>
      build.resolve("./post-json-by-node.js", { importer, resolveDir, kind }),
    );
  },
};
