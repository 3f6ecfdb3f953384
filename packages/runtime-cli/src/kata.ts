import { kata } from "./front/main.ts";

process.exit(await kata(process.argv.slice(2), import.meta.dirname));
