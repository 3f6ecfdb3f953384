// `node scripts/boot.mjs scripts/stack.ts PROGRAM < LOG`: a log of a program on the engine, whose stacks name our TypeScript.
import { text } from "node:stream/consumers";
import { translateProgramStack } from "./lib/program-stack.ts";

const [program = ""] = process.argv.slice(2);
process.stdout.write(await translateProgramStack(program, await text(process.stdin)));
