// `pnpm build [tuned|distribution|auto]`: the installable tree dist/kata-ts.
import { buildTree } from "./lib/build-all.ts";
import { parseKernelChoice } from "./lib/kernel-choice.ts";

await buildTree(parseKernelChoice(process.argv[2]));
