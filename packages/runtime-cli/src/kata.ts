import { kata } from "./front/main.ts";
import { printed } from "./output/print.ts";

const status = await kata(process.argv.slice(2), import.meta.dirname);
await printed();
process.exit(status);
