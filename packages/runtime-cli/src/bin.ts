import { main } from "./main.ts";
import { printed } from "./output/print.ts";

const status = await main(process.argv.slice(2), import.meta.dirname);
await printed();
process.exit(status);
