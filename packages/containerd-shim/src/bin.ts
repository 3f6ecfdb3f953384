#!/usr/bin/env node
import { programArguments } from "@kata-ts/linux/arguments";
import { main } from "./main.ts";

// What may still be open, such as a logger that does not end, keeps no pod.
process.exit(await main(programArguments()));
