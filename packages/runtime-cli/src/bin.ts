import { programArguments } from "@kata-ts/linux/arguments";
import { main } from "./main.ts";
import { printed } from "./output/print.ts";

const status = await main(programArguments(), import.meta.dirname);
await printed();
process.exit(status);
