import { programArguments } from "@kata-ts/linux/arguments";
import { kata } from "./front/main.ts";
import { printed } from "./output/print.ts";

const status = await kata(programArguments(), import.meta.dirname);
await printed();
process.exit(status);
