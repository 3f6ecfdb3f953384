// `pnpm guest:kernel`: compiles the tuned guest kernel, once, and puts it into dist/kata-ts.
import { buildTree } from "./lib/build-all.ts";

await buildTree("tuned");
